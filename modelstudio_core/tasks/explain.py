"""What an error of a request means for the task that it belongs to."""

from modelstudio_core.errors import ModelStudioError

__all__ = ["explain"]


def explain(error: ModelStudioError, sentence: str) -> None:
    """Add a sentence to the message of an error.

    Args:
        error: The error, which is changed.
        sentence: What to say about the task.
    """
    error.message = f"{error.message.rstrip('. ')}. {sentence}"
    error.args = (error.message,)
