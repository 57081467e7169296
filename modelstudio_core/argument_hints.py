"""What to use instead of an argument that no class here has.

Users come from other classes (``ChatOpenAI``, ``OpenAILike``, ``ChatTongyi``,
``DashScope`` …) whose arguments they still have in mind. The most similar name here is
often the wrong one, so the known ones have a hint of their own.
"""

from collections.abc import Collection, Iterable
from difflib import SequenceMatcher
from typing import Final

from modelstudio_core.errors import ConfigurationError

__all__ = ["unknown_argument"]

# How similar a name must be to be offered: "temprature" is 0.95 like "temperature",
# "model_kwargs" 0.64 like "model_name".
_SIMILAR: Final = 0.75
_EXTRA_BODY: Final = "extra_body"

_UNPACK: Final = "Pass what it holds as arguments of their own."
_CLIENT: Final = "Configure it on a client of your own: http_client= and"
_OWN_CLIENT: Final = f"{_CLIENT} http_async_client=."
_CHAT_COMPLETIONS: Final = (
    "Remove it: requests go to the Chat Completions API, or to DashScope's with"
    " protocol='dashscope'."
)
_DECIDED: Final = "Remove it: it is always sent as the response is read."
_OPENAI_ONLY: Final = "Remove it: Model Studio has nothing like it."
_FIRST_MESSAGE: Final = "Pass it as the first message."
_IN_BLOCKS: Final = "Pass it in a message: ChatMessage(blocks=[ImageBlock(...), ...])."
_OF_A_CALL: Final = "Pass it to the call, not to the constructor."
_OF_A_CALL_WITH_TOOLS: Final = (
    "Pass it to bind_tools() (LangChain), chat_with_tools() (LlamaIndex) or a call."
)

# Names here that stand for the same. That of a task's file is none of a chat class.
_RENAMED: Final = {
    "api_base": "base_url",
    "azure_endpoint": "base_url",
    "base_http_api_url": "base_url",
    "dashscope_api_base": "base_url",
    "endpoint": "base_url",
    "host": "base_url",
    "openai_api_base": "base_url",
    "api_token": "api_key",
    "dashscope_api_key": "api_key",
    "key": "api_key",
    "openai_api_key": "api_key",
    "token": "api_key",
    "deployment": "model",
    "deployment_name": "model",
    "engine": "model",
    "model_id": "model",
    "model_name": "model",
    "modle": "model",
    "workspace_id": "workspace",
    "region_id": "region",
    "region_name": "region",
    "location": "region",
    "request_timeout": "timeout",
    "num_retries": "max_retries",
    "retries": "max_retries",
    "extra_headers": "default_headers",
    "headers": "default_headers",
    "async_http_client": "http_async_client",
    "max_new_tokens": "max_tokens",
    "max_output_tokens": "max_tokens",
    "max_length": "max_tokens",
    "max_tokens_to_sample": "max_tokens",
    "num_predict": "max_tokens",
    "max_thinking_tokens": "thinking_budget",
    "budget_tokens": "thinking_budget",
    "effort": "reasoning_effort",
    "enable_reasoning": "enable_thinking",
    "include_reasoning": "enable_thinking",
    "json_mode": "response_format",
    "response_schema": "response_format",
    "stop_sequences": "stop",
    "stop_words": "stop",
    "random_seed": "seed",
    "functions": "tools",
    "function_call": "tool_choice",
    "web_search": "enable_search",
    "web_search_options": "search_options",
    "num_ctx": "context_window",
    "n_ctx": "context_window",
    "context_size": "context_window",
    "context_length": "context_window",
    "incremental": "streaming",
    "rpm": "requests_per_minute",
    "max_rpm": "requests_per_minute",
    "tpm": "tokens_per_minute",
    "max_tpm": "tokens_per_minute",
    "url": "store",
    "audio": "urls",
    "audio_url": "urls",
    "audio_urls": "urls",
    "file_url": "urls",
    "file_urls": "urls",
    "base_image_url": "images",
    "first_frame": "images",
    "first_frame_url": "images",
    "image": "images",
    "image_url": "images",
    "image_urls": "images",
    "img_url": "images",
    "last_frame": "images",
    "last_frame_url": "images",
    "ref_images_url": "images",
    "cache_control": "context_cache",
    "prompt_cache": "context_cache",
}

_HINTS: Final = {
    "additional_kwargs": _UNPACK,
    "generate_cfg": _UNPACK,
    "generation_config": _UNPACK,
    "llm_kwargs": _UNPACK,
    "model_kwargs": _UNPACK,
    "openai_proxy": _OWN_CLIENT,
    "http_socket_options": _OWN_CLIENT,
    "proxies": _OWN_CLIENT,
    "proxy": _OWN_CLIENT,
    "verify": _OWN_CLIENT,
    "ssl_verify": _OWN_CLIENT,
    "cert": _OWN_CLIENT,
    "default_query": _OWN_CLIENT,
    "reuse_client": "Remove it: connections are kept, and shared between instances.",
    "client": _OWN_CLIENT,
    "async_client": _OWN_CLIENT,
    "root_client": _OWN_CLIENT,
    "organization": "Remove it: a key of Model Studio has no organization; a workspace"
    " is selected with workspace=.",
    "openai_organization": "Remove it: a key of Model Studio has no organization; a"
    " workspace is selected with workspace=.",
    "project": "Remove it: a key of Model Studio has no project; a workspace is"
    " selected with workspace=.",
    "frequency_penalty": "Model Studio documents presence_penalty and"
    " repetition_penalty.",
    "is_chat_model": "Remove it: every model of this class is a chat model.",
    "use_responses_api": _CHAT_COMPLETIONS,
    "api_version": _CHAT_COMPLETIONS,
    "api_type": _CHAT_COMPLETIONS,
    "azure_deployment": _CHAT_COMPLETIONS,
    "use_previous_response_id": _CHAT_COMPLETIONS,
    "include": _CHAT_COMPLETIONS,
    "truncation": _CHAT_COMPLETIONS,
    "result_format": _DECIDED,
    "incremental_output": "Remove it: streams are incremental on both protocols.",
    "stream_options": "Use stream_usage=False to leave out the token counts of a"
    " stream (LangChain).",
    "stream": "Remove it: call stream() or stream_chat(). In LangChain, streaming=True"
    " makes invoke() stream.",
    "logit_bias": _OPENAI_ONLY,
    "service_tier": _OPENAI_ONLY,
    "store": _OPENAI_ONLY,
    "verbosity": _OPENAI_ONLY,
    "user": _OPENAI_ONLY,
    "best_of": _OPENAI_ONLY,
    "reasoning": "Use reasoning_effort=, thinking_budget= or enable_thinking=.",
    "thinking": "Use enable_thinking=; MiniMax-M3, which has no such switch, takes"
    " extra_body={'thinking': {'type': ...}}.",
    "thinking_config": "Use enable_thinking= and thinking_budget=.",
    "strict": "Pass it to bind_tools() or with_structured_output().",
    "disabled_params": "Remove it: only what is passed is sent.",
    "include_response_headers": "Remove it: the request id is in the metadata of each"
    " answer.",
    "tiktoken_model_name": "Use custom_get_token_ids= (LangChain).",
    "tokenizer": "Use custom_get_token_ids= (LangChain).",
    "reuse_connection": "Remove it: connections are kept, and shared.",
    "return_documents": "Remove it: what is returned are those that were passed.",
    "text_type": "Remove it: the method decides whether a text is a query.",
    "system": _FIRST_MESSAGE,
    "system_instruction": _FIRST_MESSAGE,
    "system_message": _FIRST_MESSAGE,
    "system_prompt": _FIRST_MESSAGE,
    "instructions": _FIRST_MESSAGE,
    "messages": _OF_A_CALL,
    "prompt": _OF_A_CALL,
    "input": _OF_A_CALL,
    "tools": _OF_A_CALL_WITH_TOOLS,
    "tool_choice": _OF_A_CALL_WITH_TOOLS,
    "functions": _OF_A_CALL_WITH_TOOLS,
    "function_call": _OF_A_CALL_WITH_TOOLS,
    "image_documents": _IN_BLOCKS,
    "streaming": (
        "Remove it: call stream(), stream_chat() or stream_complete(). The constructor"
        " of ChatModelStudio takes it."
    ),
    "top_n": "It is an argument of the reranking classes.",
}

# The arguments of constructors that are none of a call, by the names in _RENAMED.
_OF_CONSTRUCTORS: Final = frozenset(
    {
        "api_key",
        "base_url",
        "default_headers",
        "http_async_client",
        "max_retries",
        "region",
        "timeout",
        "workspace",
    }
)
# Parameters of the service without an argument: no other name stands for them.
_PARAMETERS: Final = frozenset(
    {
        "asr_options",
        "clear_thinking",
        "include_tool_usage",
        "max_input_tokens",
        "output_format",
        "skill",
        "use_multichannel",
        "vl_enable_image_hw_output",
    }
)


def unknown_argument(
    name: str, candidates: Collection[str], *, owner: str | None = None
) -> ConfigurationError:
    """Return the error for an argument that is not known, with what to use instead.

    Args:
        name: The unknown name.
        candidates: The valid names.
        owner: The class or the method that has the valid names.

    Example:
        >>> unknown_argument("temprature", ["temperature"]).message
        "Unknown argument 'temprature'. Did you mean 'temperature'?"
        >>> unknown_argument("model_kwargs", ["model_name"]).message
        "Unknown argument 'model_kwargs'. Pass what it holds as arguments of their own."
    """
    sentences = [f"Unknown argument {name!r}{f' of {owner}' if owner else ''}."]
    if renamed := _renamed(name, candidates):
        sentences.append(f"Did you mean {renamed!r}?")
    elif (argument := _RENAMED.get(name)) in _OF_CONSTRUCTORS:
        sentences.append(f"Pass it to the constructor, as {argument}=.")
    elif name in _HINTS:
        sentences.append(_HINTS[name])
    is_settled = sentences[-1].startswith(("Remove it", "Pass it", "It is"))
    if _EXTRA_BODY in candidates and not is_settled:
        sentences.append("Parameters that have no argument go into extra_body.")
    if "parameters" in candidates and len(sentences) == 1:
        sentences.append(
            f"Parameters of the model go into parameters=: {{{name!r}: ...}}."
        )
    return ConfigurationError(" ".join(sentences))


def _renamed(name: str, candidates: Iterable[str]) -> str | None:
    """Return the argument that stands for a name, or that is spelled almost alike."""
    names = list(candidates)
    if (renamed := _RENAMED.get(name)) in names:
        return renamed
    if name in _HINTS or name in _PARAMETERS:
        return None
    folded = name.casefold()
    rated = [(SequenceMatcher(None, folded, other).ratio(), other) for other in names]
    ratio, best = max(rated, default=(0.0, ""))
    return best if ratio >= _SIMILAR else None
