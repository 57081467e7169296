"""Pydantic objects made without validation: a stream makes thousands.

``construct`` leans on how pydantic 2 stores an object. Its users compare its result
once with that of the ordinary constructor, by ``dump_state``, and use the constructor
where they differ.
"""

from collections.abc import Callable
from typing import Any, Final, TypeVar, cast

from pydantic import BaseModel

__all__ = ["construct", "dump_state"]

_Model = TypeVar("_Model", bound=BaseModel)
_SLOTS: Final = (
    "__dict__",
    "__pydantic_fields_set__",
    "__pydantic_extra__",
    "__pydantic_private__",
)
_new: Final = object.__new__


def _setters() -> tuple[Callable[[object, object], None], ...]:
    """Return what sets the slots; nothing where the installed pydantic has others."""
    descriptors = [vars(BaseModel).get(slot) for slot in _SLOTS]
    if not all(hasattr(descriptor, "__set__") for descriptor in descriptors):
        return ()
    return tuple(cast("Any", descriptor).__set__ for descriptor in descriptors)


_set_slots: Final = _setters()


def construct(
    cls: type[_Model],
    fields: dict[str, Any],
    fields_set: set[str],
    extra: dict[str, Any] | None = None,
) -> _Model:
    """Make an object of a class without validation.

    Args:
        cls: The class.
        fields: The values of all its fields, in their order. The object keeps the
            dict itself.
        fields_set: The names of those that are not defaults. The object keeps the set
            itself.
        extra: What a class that allows extra values keeps beside its fields.

    Raises:
        ValueError: The installed pydantic stores its objects in another way.
    """
    set_fields, set_names, set_extra, set_private = _set_slots
    instance = _new(cls)
    set_fields(instance, fields)
    set_names(instance, fields_set)
    set_extra(instance, extra)
    set_private(instance, None)
    return instance


def dump_state(value: object) -> object:
    """Return everything that a value holds, with order and types, for a comparison."""
    cls = type(value)
    match value:
        case BaseModel():
            return cls, dump_state(value.__getstate__())
        case dict():
            items = cast("dict[object, object]", value).items()
            return cls, [(key, dump_state(item)) for key, item in items]
        case list():
            return cls, [dump_state(item) for item in cast("list[object]", value)]
        case _:
            return cls, value
