"""Batches with LlamaIndex's messages and embeddings: ``BatchRun``.

Example:
    >>> import tempfile
    >>> from llamaindex_modelstudio import ModelStudio
    >>> from modelstudio_core.emulator import Emulator
    >>> with Emulator() as studio, tempfile.TemporaryDirectory() as directory:
    ...     llm = ModelStudio(
    ...         model="qwen-plus",
    ...         base_url=studio.base_url,
    ...         api_key=studio.api_key,
    ...     )
    ...     run = BatchRun.prepare(llm, ["Hello.", "Bye."], directory=directory)
    ...     run.submit()
    ...     studio.advance(60)
    ...     run.collect()
    ...     rows = list(run.results())
    >>> [row.status for row in rows], type(rows[0].message).__name__
    (['done', 'done'], 'ChatMessage')
"""

from collections.abc import Sequence
from typing import cast

from llama_index.core.base.llms.types import ChatMessage
from typing_extensions import override

from llamaindex_modelstudio._chat.messages import from_messages
from llamaindex_modelstudio._chat.responses import to_response
from modelstudio_core import batches
from modelstudio_core.batches import BatchRow
from modelstudio_core.chat.arguments import ChatArguments
from modelstudio_core.chat.completion import Completion
from modelstudio_core.chat.messages import Message
from modelstudio_core.chat.plan import ChatPlan
from modelstudio_core.errors import ConfigurationError

__all__ = ["BatchRow", "BatchRun"]


class BatchRun(batches.BatchRun[ChatMessage]):
    """The requests of many rows, answered by batches at half the price.

    The rows of a ``ModelStudio`` have ``message``, a ``ChatMessage`` with its reasoning
    and its tool calls; those of a ``ModelStudioEmbedding`` have ``embedding``. Token
    counts are in ``row.usage``, and the body as the service sent it in ``row.raw``.
    Inputs are what ``complete`` and ``chat`` take (a prompt or a list of messages), or
    texts; ``arguments={"tools": ...}`` are arguments of a call.

    All methods, and what they promise, are those of
    ``modelstudio_core.batches.BatchRun``.
    """

    @classmethod
    @override
    def _to_messages(cls, model: ChatArguments, item: object) -> Sequence[Message]:
        if isinstance(item, str):
            to_prompt = getattr(model, "completion_to_prompt", None)
            text = to_prompt(item) if callable(to_prompt) else item
            return [{"role": "user", "content": str(text)}]
        name = type(item).__name__
        if isinstance(item, ChatMessage):
            return from_messages([item])
        if isinstance(item, list | tuple):
            messages = cast("Sequence[ChatMessage]", item)
            if all(isinstance(message, ChatMessage) for message in messages):
                return from_messages(messages)
        raise ConfigurationError(
            f"it must be a string, a ChatMessage or a list of them, got a {name}."
        )

    @classmethod
    @override
    def _convert(cls, completion: Completion, plan: ChatPlan) -> ChatMessage:
        return to_response(completion, plan).message
