"""The words of errors on a command line: options and commands, not Python's names."""

import re
from typing import Final

__all__ = ["in_words_of_the_command", "joined_sentences"]

# The arguments that have an option of their own; it is spelled alike where it is None.
_OPTIONS: Final[dict[str, str | None]] = {
    "api_key": "--api-key-file",
    "model": None,
    "region": None,
    "mode": None,
    "workspace": None,
    "base_url": None,
    "protocol": None,
    "timeout": None,
    "total_timeout": None,
    "max_retries": None,
    "allow_insecure_http": None,
    "prompt": "a prompt",
    "images": "--image",
    "media": None,
    "urls": "--url",
    "parameters": "--parameter",
    "input": None,
    "path": None,
    "upload_media": None,
    "status": None,
    "limit": None,
    "completion_window": None,
    "directory": "--save",
    "poll_interval": None,
}
_NAMES: Final = "|".join(_OPTIONS)
# Such as "pass region='beijing'": a name is never the end of another one.
_ASSIGNED: Final = re.compile(rf"\b({_NAMES})=(?:'([^']*)'|True)?")
# Such as "max_retries must be": at the beginning no other word looks like one.
_FIRST: Final = re.compile(rf"(?!prompt )({_NAMES})(?= )")
# These are no words of a sentence anywhere.
_PLAIN: Final = re.compile(
    rf"(?<![\w'-])({'|'.join(n for n in _OPTIONS if '_' in n)})\b"
)
_UNKNOWN: Final = re.compile(r"\bUnknown argument ('[^']*')(?: of \w+)?\.")
_NONE: Final = re.compile(r",? or None(?: for no limit)?(?=, got)")
_CLASSES: Final = re.compile(
    r" \S+ needs (\w+)(?: \(LangChain\) or \w+ \(LlamaIndex\))?\.$"
)
_COMMAND_OF: Final = {
    "ChatModelStudio": " For this model, run 'modelstudio chat'.",
    "ModelStudioEmbeddings": " For this model, run 'modelstudio embed'.",
}
_PHRASES: Final = {
    ", a pair of them (connect, read), or None for no limit": "",
    "BatchRun.prepare": "'modelstudio batch prepare'",
    "BatchRun.open": "the commands after 'prepare'",
    "Pass it to bind_tools() (LangChain), chat_with_tools() (LlamaIndex) or a call.": (
        "Remove it: the command calls no tools."
    ),
    "Pass it to bind_tools() or with_structured_output().": "Remove it.",
    "Pass it to the call, not to the constructor.": (
        "Remove it: what follows the options is the question."
    ),
    "Pass it as the first message.": "Use --system.",
    "call submit()": "run 'modelstudio batch submit'",
    "call collect()": "run 'modelstudio batch collect'",
    "resume() sends": "'modelstudio batch resume' sends",
    "call result() again, now or later from Task.from_dict()": (
        "run 'modelstudio task wait'"
    ),
    "tasks.list_tasks() shows": "'modelstudio task list' shows",
}


def in_words_of_the_command(text: str) -> str:
    """Return the text of an error with options and commands in the place of names.

    Args:
        text: The message of an error of this package.

    Example:
        >>> in_words_of_the_command("Pass mode='eu', or api_key=.")
        'Pass --mode eu, or --api-key-file.'
        >>> in_words_of_the_command("max_retries must be an integer >= 0, got -1.")
        '--max-retries must be an integer >= 0, got -1.'
    """
    for phrase, words in _PHRASES.items():
        text = text.replace(phrase, words)
    text = _CLASSES.sub(lambda found: _COMMAND_OF.get(found[1], ""), text)
    text = _NONE.sub("", text)
    text = _UNKNOWN.sub(r"Unknown --option \1.", text)
    text = _ASSIGNED.sub(_as_option, text)
    if first := _FIRST.match(text):
        text = _as_option(first) + text[first.end() :]
    return _PLAIN.sub(_as_option, text)


def _as_option(found: re.Match[str]) -> str:
    name = found[1]
    option = _OPTIONS[name] or f"--{name.replace('_', '-')}"
    value = found[2] if found.re is _ASSIGNED else None
    return f"{option} {value}" if value else option


def joined_sentences(*texts: str) -> str:
    """Return texts in one line, each with an end.

    Example:
        >>> joined_sentences("It failed", "", "Try again.")
        'It failed. Try again.'
    """
    return " ".join(
        text if text.endswith((".", "!", "?", ":", ")")) else f"{text}."
        for text in texts
        if text
    )
