"""Creates pydantic objects without validation: a stream needs thousands of them.

``construct`` depends on how pydantic 2 stores an object. Its callers compare its result
once with that of the constructor, by ``dump_state``, and use the constructor if the two
differ.
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
    """Return the setters of the slots; empty if the installed pydantic has others."""
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
    """Create an object of a class without validation.

    Args:
        cls: The class.
        fields: The values of all fields, in the order of the class. The object uses the
            dict itself, not a copy.
        fields_set: The names of the fields that were set explicitly. The object uses
            the set itself.
        extra: The extra values, for a class that allows them.

    Raises:
        ValueError: The installed pydantic stores objects differently.
    """
    set_fields, set_names, set_extra, set_private = _set_slots
    instance = _new(cls)
    set_fields(instance, fields)
    set_names(instance, fields_set)
    set_extra(instance, extra)
    set_private(instance, None)
    return instance


def dump_state(value: object) -> object:
    """Return the full state of a value, with order and types, for a comparison."""
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
