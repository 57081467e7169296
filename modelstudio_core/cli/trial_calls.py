"""One small call of a model, to see whether calls work."""

from collections.abc import Mapping
from typing import Any, Final, NamedTuple

from modelstudio_core.catalog import ModelProfile, resolve_model
from modelstudio_core.chat.arguments import ChatArguments
from modelstudio_core.chat.calls import generate, prepare_call
from modelstudio_core.cli.services import Embedder, Reranker

__all__ = ["Trial", "try_model"]

# Enough for a word. The answer is cut off, which is no error.
_MAX_TOKENS: Final = 8


class Trial(NamedTuple):
    """A call that was answered.

    Attributes:
        detail: What came back, in one sentence.
        request_id: The id to give to the support of Alibaba Cloud.
    """

    detail: str
    request_id: str | None = None


def try_model(name: str, arguments: Mapping[str, Any]) -> Trial | None:
    """Make one small call of a model.

    Args:
        name: The model id.
        arguments: The arguments of the connection.

    Returns:
        What came back; None for a model of which no small call is possible.

    Raises:
        APIError: The call failed.
        ConfigurationError: An argument is invalid.
    """
    profile = resolve_model(name)
    match profile.kind:
        case "chat":
            return _try_chat(name, arguments, profile)
        case "embedding":
            vectors = Embedder(model=name, **arguments).embed(["Hello"], "document")
            return Trial(f"{name} returned a vector of {len(vectors[0])} numbers.")
        case "rerank":
            ranked = Reranker(model=name, **arguments).rerank(["Hello"], "Hi")
            return Trial(f"{name} returned the score {ranked[0].score:.2f}.")
        case "media":
            return None


def _try_chat(name: str, arguments: Mapping[str, Any], profile: ModelProfile) -> Trial:
    options: dict[str, Any] = {}
    if getattr(profile, "default_thinking", None) is not None:
        options["enable_thinking"] = False
    if "max_tokens" not in getattr(profile, "refused", ()):
        options["max_tokens"] = _MAX_TOKENS
    llm = ChatArguments(model=name, **arguments, **options)
    call = prepare_call(
        llm.resolved, [{"role": "user", "content": "Hi"}], {}, stream=False
    )
    (completion,) = generate(call)
    finish = completion.finish
    usage = finish.usage if finish else None
    tokens = f" {usage.input_tokens} + {usage.output_tokens} tokens." if usage else ""
    request_id = finish.request_id if finish else None
    return Trial(f"{llm.resolved_model} answered.{tokens}", request_id)
