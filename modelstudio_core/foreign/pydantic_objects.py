"""Objects of pydantic's made without its validation: a stream makes thousands.

They lean on how pydantic stores an object: whoever makes one this way sees first that
the ordinary way makes the same, and takes that where it does not.
"""

from typing import Any, Final, TypeVar, cast

from pydantic import BaseModel

__all__ = ["dump_state", "make"]

_Model = TypeVar("_Model", bound=BaseModel)
_new: Final = object.__new__
_set_fields, _set_given, _set_extra, _set_private = (
    vars(BaseModel)[slot].__set__
    for slot in (
        "__dict__",
        "__pydantic_fields_set__",
        "__pydantic_extra__",
        "__pydantic_private__",
    )
)


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
    _set_fields(made, fields)
    _set_given(made, given)
    _set_extra(made, extra)
    _set_private(made, None)
    return made


def dump_state(value: object) -> object:
    """Return all that a value holds, in an order and with its types: to compare."""
    kind = type(value)
    match value:
        case BaseModel():
            return kind, dump_state(value.__getstate__())
        case dict():
            items = cast("dict[object, object]", value).items()
            return kind, [(name, dump_state(part)) for name, part in items]
        case list():
            return kind, [dump_state(part) for part in cast("list[object]", value)]
        case _:
            return kind, value
