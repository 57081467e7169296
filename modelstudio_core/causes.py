"""The causes of errors: which there are, and which may be shown."""

import traceback
from collections.abc import Callable, Iterator

__all__ = ["causes_of", "shown_cause"]


def causes_of(error: BaseException | None) -> Iterator[BaseException]:
    """Yield an error, its cause, and so on; each once.

    The cause is what it was raised from, or made of, as httpcore2's errors are. Not its
    context: that may be an error which the caller is handling, of another request.

    Args:
        error: The error; None for none.
    """
    yielded: set[int] = set()
    while error is not None and id(error) not in yielded:
        yield error
        yielded.add(id(error))
        first = error.args[0] if error.args else None
        origin = first if isinstance(first, BaseException) else None
        error = error.__cause__ or origin


def shown_cause(
    cause: BaseException, hide: Callable[[str], str]
) -> BaseException | None:
    """Return the cause of an error; None if its traceback shows a secret.

    Args:
        cause: The exception, with its own causes, contexts and notes.
        hide: Returns a text without secrets.

    Example:
        >>> hide = lambda text: text.replace("sk-1", "*")
        >>> shown_cause(ValueError("sk-1"), hide) is None
        True
        >>> shown_cause(ValueError("a"), hide)
        ValueError('a')
    """
    text = "".join(traceback.format_exception(cause))
    return cause if hide(text) == text else None
