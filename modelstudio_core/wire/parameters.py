"""The parameters that both protocols know by the same names."""

from typing import Any, Final

from modelstudio_core.messages import encodable
from modelstudio_core.options import ChatRequest

__all__ = ["extra_body_of", "parameters_of"]

# Options that are sent under their own name. The rest has rules of its own.
_PLAIN: Final = (
    "temperature",
    "top_p",
    "top_k",
    "max_tokens",
    "max_completion_tokens",
    "seed",
    "n",
    "presence_penalty",
    "repetition_penalty",
    "logprobs",
    "top_logprobs",
    "parallel_tool_calls",
    "response_format",
    "thinking_budget",
    "reasoning_effort",
    "preserve_thinking",
    "enable_search",
    "search_options",
    "tools",
    "tool_choice",
)


def parameters_of(request: ChatRequest) -> dict[str, Any]:
    """Return what a request asks for besides its messages, where it says anything."""
    options = request.options
    asked = {
        name: value for name in _PLAIN if (value := getattr(options, name)) is not None
    }
    if options.stop:
        stop = options.stop
        asked["stop"] = stop if isinstance(stop, str) else list(stop)
    if request.thinking is not None:
        asked["enable_thinking"] = request.thinking
    if not options.tools:
        asked.pop("parallel_tool_calls", None)
    return {name: encodable(value, name) for name, value in asked.items()}


def extra_body_of(request: ChatRequest) -> dict[str, Any]:
    """Return the parameters that have no name here."""
    return dict(encodable(request.options.extra_body or {}, "extra_body"))
