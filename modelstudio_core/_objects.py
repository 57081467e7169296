"""Objects of pydantic's made without its validation: a stream makes thousands.

They lean on how pydantic stores an object: whoever makes one this way sees first that
the ordinary way makes the same, and takes that where it does not.
"""

from typing import Any, Final, TypeVar, cast

from pydantic import BaseModel

__all__ = ["make", "state_of"]

_Model = TypeVar("_Model", bound=BaseModel)
_new: Final = object.__new__
_set: Final = object.__setattr__


def make(
    cls: type[_Model],
    fields: dict[str, Any],
    given: set[str],
    extra: dict[str, Any] | None = None,
) -> _Model:
    """Make an object of a class.

    Args:
        cls: The class.
        fields: All its fields in their order; the dict becomes the object's own.
        given: Which of them are not its defaults; the object's own as well.
        extra: What the class keeps beside its fields, if it does.
    """
    made = _new(cls)
    _set(made, "__dict__", fields)
    _set(made, "__pydantic_fields_set__", given)
    _set(made, "__pydantic_extra__", extra)
    _set(made, "__pydantic_private__", None)
    return made


def state_of(value: object) -> object:
    """Return all that a value holds, in an order and with its types: to compare."""
    kind = type(value)
    match value:
        case BaseModel():
            return kind, state_of(value.__getstate__())
        case dict():
            items = cast("dict[object, object]", value).items()
            return kind, [(name, state_of(part)) for name, part in items]
        case list():
            return kind, [state_of(part) for part in cast("list[object]", value)]
        case _:
            return kind, value
