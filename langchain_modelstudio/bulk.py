"""``ChatMapper``: chat calls for the columns of an engine such as Ray Data.

Example:
    >>> import os
    >>> from modelstudio_core.emulator import Emulator
    >>> with Emulator() as studio:
    ...     os.environ["DASHSCOPE_API_KEY"] = studio.api_key
    ...     mapper = ChatMapper({"model": "qwen3.7-plus", "base_url": studio.base_url})
    ...     columns = mapper({"id": [1, 2], "prompt": ["Hello", "Good-bye"]})
    ...     mapper.close()
    >>> columns["id"], columns["error"]
    ([1, 2], [None, None])
"""

import asyncio
import os
import threading
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final, cast

from langchain_core.caches import BaseCache
from langchain_core.messages import (
    AIMessage,
    BaseMessage,
    HumanMessage,
    SystemMessage,
)
from pydantic import SecretStr
from typing_extensions import override

from langchain_modelstudio.cache import SQLiteAnswerCache
from langchain_modelstudio.chat_models import ChatModelStudio
from langchain_modelstudio.errors import ConfigurationError
from modelstudio_core.connection_arguments import keys_hidden
from modelstudio_core.fork_locks import ForkLock
from modelstudio_core.secrets import is_private_header

__all__ = ["OUTPUT_COLUMNS", "ChatMapper"]

_DEFAULT_CONCURRENCY: Final = 64
# In the place of the key, which only the workers need to have.
_NO_KEY: Final = "in-the-environment-of-the-worker"
_Columns = Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Row:
    """What comes out of one row."""

    answer: str | None = None
    reasoning: str | None = None
    finish_reason: str | None = None
    input_tokens: int | None = None
    output_tokens: int | None = None
    reasoning_tokens: int | None = None
    cached_tokens: int | None = None
    request_id: str | None = None
    error: str | None = None


# The type of each column, for engines that must know it: any value may be None.
OUTPUT_COLUMNS: Final[Mapping[str, type[str] | type[int]]] = {
    name: int if name.endswith("_tokens") else str for name in asdict(_Row())
}


class ChatMapper:
    """Answers the prompts of a column, and returns the columns with the answers.

    It is a class for ``ray.data.Dataset.map_batches``, and for any engine that calls a
    class with a dict of columns. The model is created from plain arguments in the
    worker, when it is first called. The API key is taken from the worker's environment.

    The columns ``answer``, ``reasoning``, ``finish_reason``, ``input_tokens``,
    ``output_tokens``, ``reasoning_tokens``, ``cached_tokens``, ``request_id`` and
    ``error`` are added. A row has an answer or an error (its class and message), so
    that a bad row costs no other.

    The calls are asynchronous, in an event loop of the mapper's own. Several threads
    may call one mapper: their rows share its limit of calls at once.

    Example:
        >>> import os
        >>> from unittest.mock import patch
        >>> from modelstudio_core.emulator import Emulator
        >>> with Emulator() as studio:
        ...     arguments = {"model": "qwen-plus", "base_url": studio.base_url}
        ...     mapper = ChatMapper(arguments, input_column="question")
        ...     with patch.dict(os.environ, DASHSCOPE_API_KEY=studio.api_key):
        ...         columns = mapper({"question": ["The sky is blue. What is blue?"]})
        ...     mapper.close()
        >>> columns["answer"], columns["error"]
        (['The sky is blue.'], [None])
    """

    def __init__(
        self,
        model_arguments: Mapping[str, Any],
        input_column: str = "prompt",
        *,
        system_prompt: str | None = None,
        max_concurrency: int = _DEFAULT_CONCURRENCY,
        cache: str | Path | Callable[[], BaseCache] | None = None,
    ) -> None:
        """Create a mapper.

        The model's arguments are checked with the environment of this process, which
        needs no key, and again in the worker.

        Args:
            model_arguments: The arguments of ``ChatModelStudio``, without ``api_key``
                and without headers that hold a key. A ``limiter`` needs a store.
            input_column: The column of the prompts, which are strings.
            system_prompt: The system message of each call.
            max_concurrency: How many calls this mapper makes at once at most.
            cache: The path of a ``SQLiteAnswerCache``, or a function that the worker
                calls for a cache, such as one in Redis. None: no cache.

        Raises:
            ConfigurationError: An argument is invalid, or a policy does not allow it.
        """
        with keys_hidden({}):
            self._arguments = _check_arguments(model_arguments)
            self._input_column = _check_text(input_column, "input_column")
            self._system_prompt = (
                None
                if system_prompt is None
                else _check_text(system_prompt, "system_prompt")
            )
            self._max_concurrency = _check_concurrency(max_concurrency)
            self._cache = _check_cache(cache)
            ChatModelStudio(api_key=_NO_KEY, **self._arguments)
        self._worker: _Worker | None = None
        self._lock = ForkLock()

    def __call__(self, batch: _Columns) -> dict[str, Any]:
        """Return the columns of a batch with those of the answers.

        Args:
            batch: The columns by name: lists, arrays or series of the same length.

        Raises:
            ConfigurationError: The column of the prompts is missing, a column of the
                answers exists already, or an argument of the model is invalid.
        """
        prompts = _prompts(batch, self._input_column)
        worker = self._current_worker()
        rows = worker.run(self._answer_all(worker, prompts))
        return {**batch, **_columns(rows)}

    async def acall(self, batch: _Columns) -> dict[str, Any]:
        """Async version of ``__call__``, without blocking the caller's event loop."""
        prompts = _prompts(batch, self._input_column)
        worker = await asyncio.to_thread(self._current_worker)
        future = worker.start(self._answer_all(worker, prompts))
        return {**batch, **_columns(await asyncio.wrap_future(future))}

    def close(self) -> None:
        """Stop the event loop of the mapper. It is started again by a call."""
        with self._lock:
            worker, self._worker = self._worker, None
        # The thread of a parent process does not exist here.
        if worker is not None and worker.process == os.getpid():
            worker.close()

    @override
    def __reduce__(self) -> tuple[Any, ...]:
        """Pickle the arguments."""
        options = {
            "input_column": self._input_column,
            "system_prompt": self._system_prompt,
            "max_concurrency": self._max_concurrency,
            "cache": self._cache,
        }
        return _rebuild, (type(self), self._arguments, options)

    def _current_worker(self) -> "_Worker":
        with self._lock:
            if self._worker is None or self._worker.process != os.getpid():
                self._worker = _Worker(self._make_model(), self._max_concurrency)
            return self._worker

    def _make_model(self) -> ChatModelStudio:
        arguments = {**self._arguments}
        if callable(self._cache):
            arguments["cache"] = self._cache()
        elif self._cache is not None:
            arguments["cache"] = SQLiteAnswerCache(self._cache)
        return ChatModelStudio(**arguments)

    async def _answer_all(
        self, worker: "_Worker", prompts: Sequence[object]
    ) -> list[_Row]:
        return await asyncio.gather(
            *(self._answer(worker, prompt) for prompt in prompts)
        )

    async def _answer(self, worker: "_Worker", prompt: object) -> _Row:
        if not isinstance(prompt, str) or not prompt:
            kind = "an empty string" if prompt == "" else f"a {type(prompt).__name__}"
            return _Row(
                error=f"ConfigurationError: {self._input_column} must be a string"
                f" that is not empty, got {kind}. No request was sent."
            )
        messages: list[BaseMessage] = [HumanMessage(str(prompt))]
        if self._system_prompt is not None:
            messages = [SystemMessage(self._system_prompt), *messages]
        async with worker.places:
            try:
                return _to_row(await worker.model.ainvoke(messages))
            except Exception as error:  # noqa: BLE001 - of one row, which the others must survive
                return _to_error(error)


def _rebuild(
    cls: type[ChatMapper], arguments: dict[str, Any], options: dict[str, Any]
) -> ChatMapper:
    return cls(arguments, **options)


class _Worker:
    """The model and the event loop of a mapper in one process."""

    def __init__(self, model: ChatModelStudio, limit: int) -> None:
        self.model = model
        self.places = asyncio.Semaphore(limit)
        self.process = os.getpid()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(
            target=self._loop.run_forever, name="ChatMapper", daemon=True
        )
        self._thread.start()

    def start(self, rows: Any) -> Any:
        """Start a coroutine in the event loop, and return its future."""
        return asyncio.run_coroutine_threadsafe(rows, self._loop)

    def run(self, rows: Any) -> list[_Row]:
        """Run a coroutine in the event loop, and wait for its result."""
        future = self.start(rows)
        try:
            return cast("list[_Row]", future.result())
        except BaseException:
            # Such as an interrupt: the calls must not go on.
            future.cancel()
            raise

    def close(self) -> None:
        """Cancel the calls and close the event loop."""
        with suppress(RuntimeError):
            asyncio.run_coroutine_threadsafe(_cancel_all(), self._loop).result()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.run_until_complete(self._loop.shutdown_asyncgens())
        self._loop.run_until_complete(self._loop.shutdown_default_executor())
        self._loop.close()


async def _cancel_all() -> None:
    tasks = asyncio.all_tasks() - {asyncio.current_task()}
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


# --- Rows -------------------------------------------------------------------------


def _to_row(message: AIMessage) -> _Row:
    usage = cast("dict[str, Any]", message.usage_metadata or {})
    details: list[dict[str, int]] = [
        usage.get(f"{kind}_token_details") or {} for kind in ("input", "output")
    ]
    metadata = cast("dict[str, Any]", message.response_metadata)
    reasoning = cast("dict[str, Any]", message.additional_kwargs).get(
        "reasoning_content"
    )
    return _Row(
        answer=message.text,
        reasoning=reasoning,
        finish_reason=metadata.get("finish_reason"),
        input_tokens=usage.get("input_tokens"),
        output_tokens=usage.get("output_tokens"),
        reasoning_tokens=details[1].get("reasoning"),
        cached_tokens=details[0].get("cache_read"),
        request_id=metadata.get("request_id"),
    )


def _to_error(error: Exception) -> _Row:
    request_id = getattr(error, "request_id", None)
    return _Row(
        error=f"{type(error).__name__}: {error}",
        request_id=request_id if isinstance(request_id, str) else None,
    )


def _columns(rows: Sequence[_Row]) -> dict[str, list[object]]:
    return {name: [getattr(row, name) for row in rows] for name in OUTPUT_COLUMNS}


def _prompts(batch: _Columns, column: str) -> list[object]:
    if not isinstance(batch, Mapping):
        raise ConfigurationError(
            "ChatMapper must be called with a dict of columns, got a"
            f" {type(batch).__name__}. In Ray Data that is batch_format='numpy'."
        )
    if column not in batch:
        names = ", ".join(map(repr, batch)) or "none"
        raise ConfigurationError(
            f"There is no column {column!r}, there are: {names}. Pass input_column=."
        )
    if taken := sorted(OUTPUT_COLUMNS.keys() & batch.keys()):
        raise ConfigurationError(
            f"The columns {', '.join(map(repr, taken))} exist already, and ChatMapper"
            " adds columns of these names. Rename or drop them."
        )
    return [*cast("Sequence[object]", batch[column])]


# --- Arguments --------------------------------------------------------------------


def _check_arguments(value: object) -> dict[str, Any]:
    if not isinstance(value, Mapping):
        raise ConfigurationError(
            "model_arguments must be a dict of arguments of ChatModelStudio, got a"
            f" {type(value).__name__}. A model object is created in the worker."
        )
    arguments = dict(cast("Mapping[str, Any]", value))
    names = {"api_key", "dashscope_api_key"} & arguments.keys()
    if names:
        raise ConfigurationError(
            f"model_arguments must not contain {names.pop()}: an engine stores and"
            " shows the arguments. Set the variable of the key in the environment of"
            " the workers."
        )
    if "cache" in arguments:
        raise ConfigurationError(
            "model_arguments must not contain cache: pass cache= to ChatMapper, which"
            " opens it in the worker."
        )
    _check_headers(arguments.get("default_headers"))
    return arguments


def _check_headers(headers: object) -> None:
    if not isinstance(headers, Mapping):
        return
    for name, value in cast("Mapping[object, object]", headers).items():
        is_private = isinstance(name, str) and is_private_header(name)
        if is_private or isinstance(value, SecretStr):
            raise ConfigurationError(
                f"default_headers of model_arguments must not contain {name!r}: an"
                " engine stores and shows the arguments. A gateway gets the key of the"
                " workers' environment as 'Authorization: Bearer ...'."
            )


def _check_text(value: object, name: str) -> str:
    if not isinstance(value, str) or not value:
        raise ConfigurationError(f"{name} must be a string that is not empty.")
    return value


def _check_concurrency(value: object) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or value < 1:
        raise ConfigurationError(
            f"max_concurrency must be an integer >= 1, got {value!r}."
        )
    return value


def _check_cache(value: object) -> str | Path | Callable[[], BaseCache] | None:
    if isinstance(value, BaseCache):
        raise ConfigurationError(
            "cache of ChatMapper must be a path, or a function that returns a cache in"
            " the worker, such as lambda: RedisCache(...)."
        )
    if (
        value is None
        or callable(value)
        or (isinstance(value, str | Path) and str(value))
    ):
        return cast("str | Path | Callable[[], BaseCache] | None", value)
    raise ConfigurationError(
        f"cache of ChatMapper must be a path or a function, got {value!r}."
    )
