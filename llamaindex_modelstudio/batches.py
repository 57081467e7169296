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

from llama_index.core.base.llms.types import ChatMessage
from typing_extensions import override

from llamaindex_modelstudio._chat.responses import to_message
from modelstudio_core import batches
from modelstudio_core.batches import BatchRow
from modelstudio_core.chat.completion import Completion
from modelstudio_core.chat.plan import ChatPlan

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
    def _convert(cls, completion: Completion, plan: ChatPlan) -> ChatMessage:
        del plan
        return to_message(completion)
