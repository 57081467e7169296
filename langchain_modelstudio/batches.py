"""Batches with LangChain's messages and embeddings: ``BatchRun``.

Example:
    >>> import tempfile
    >>> from langchain_modelstudio import ChatModelStudio
    >>> from modelstudio_core.emulator import Emulator
    >>> with Emulator() as studio, tempfile.TemporaryDirectory() as directory:
    ...     llm = ChatModelStudio(
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
    (['done', 'done'], 'AIMessage')
"""

from contextlib import AbstractContextManager
from typing import Any, TypeGuard, cast

from langchain_core.messages import AIMessage
from langchain_core.runnables import RunnableBinding
from typing_extensions import override

from langchain_modelstudio._chat.answers import to_message
from langchain_modelstudio.errors import langchain_errors, to_langchain_error
from modelstudio_core import batches
from modelstudio_core.batches import BatchRow
from modelstudio_core.chat.completion import Completion
from modelstudio_core.chat.plan import ChatPlan
from modelstudio_core.errors import ConfigurationError, ModelStudioError

__all__ = ["BatchRow", "BatchRun"]


class BatchRun(batches.BatchRun[AIMessage]):
    """The requests of many rows, answered by batches at half the price.

    The rows of a ``ChatModelStudio`` have ``message``, an ``AIMessage`` with reasoning,
    tool calls and usage; those of ``ModelStudioEmbeddings`` have ``embedding``. Inputs
    are what ``invoke`` takes (a string, a list of messages, a prompt value), or texts.

    The model may have bound arguments: ``llm.bind_tools(tools)``, ``llm.bind(...)``.
    Chains are refused, and so is ``with_structured_output(...)``: pass the model with
    ``response_format=`` or with the tool, and parse the messages of the rows.

    All methods, and what they promise, are those of
    ``modelstudio_core.batches.BatchRun``; errors are those of
    ``langchain_modelstudio.errors``.
    """

    @classmethod
    @override
    def _errors(cls) -> AbstractContextManager[None]:
        return langchain_errors()

    @classmethod
    @override
    def _to_error(cls, error: ModelStudioError) -> ModelStudioError:
        return to_langchain_error(error)

    @classmethod
    @override
    def _unwrap(cls, model: object) -> tuple[object, dict[str, Any]]:
        bound: dict[str, Any] = {}
        while _is_binding(model):
            if model.config or model.config_factories:
                raise ConfigurationError(
                    "A batch has no callbacks, tags or other configuration of a run:"
                    " pass the model without with_config()."
                )
            bound = {**model.kwargs, **bound}
            model = cast("object", model.bound)
        return model, bound

    @classmethod
    @override
    def _convert(cls, completion: Completion, plan: ChatPlan) -> AIMessage:
        return to_message(completion, plan)


def _is_binding(model: object) -> TypeGuard[RunnableBinding[Any, Any]]:
    return isinstance(model, RunnableBinding)
