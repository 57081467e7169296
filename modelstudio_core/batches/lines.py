"""The lines of a run: one request each, from the same code as the requests of calls."""

import hashlib
import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any, Final, Protocol, cast

from pydantic_core import to_json

from modelstudio_core.batches.records import Kind
from modelstudio_core.chat.addresses import prepare_addresses, replace_files
from modelstudio_core.chat.arguments import BATCH_TEXT
from modelstudio_core.chat.calls import ChatCall
from modelstudio_core.chat.media import is_text
from modelstudio_core.chat.media_checks import inline_limits
from modelstudio_core.chat.messages import Message, are_plain
from modelstudio_core.chat.openai import build_request
from modelstudio_core.chat.options import answer_count
from modelstudio_core.chat.plan import ChatPlan, plan_partial
from modelstudio_core.chat.prompt import prepare_prompt
from modelstudio_core.chat.request_rules import apply_rules, ends_with_prefix
from modelstudio_core.embeddings.options import ResolvedEmbeddings
from modelstudio_core.embeddings.requests import build_request as build_embeddings
from modelstudio_core.errors import ConfigurationError
from modelstudio_core.redaction import MIN_LENGTH
from modelstudio_core.secrets import hide_keys
from modelstudio_core.service_inputs import check_text
from modelstudio_core.token_estimates import estimate_tokens, tokens_of_bytes
from modelstudio_core.transport.requests import HttpRequest
from modelstudio_core.uploads import load_files
from modelstudio_core.user_warnings import warn_once

__all__ = [
    "ESTIMATED_BY",
    "ChatLines",
    "EmbeddingLines",
    "LineBuilder",
    "build_lines",
    "index_of",
]

ESTIMATED_BY: Final = (
    "a third of the bytes in UTF-8 of each line's messages and tools, or of its text;"
    " images, video, sound and documents are not counted"
)
# Documented: 6 MB a line, and a context of 256K tokens ("OpenAI compatible - Batch").
_MAX_LINE_BYTES: Final = 6 * 1024 * 1024
_MAX_TOKENS: Final = 256 * 1024
# No tokenizer makes tokens of more bytes on average from real text.
_MAX_BYTES_PER_TOKEN: Final = 6
_ID_PREFIX: Final = b'{"custom_id":"'
_ID_DIGITS: Final = 10
_HOLDS_KEY: Final = (
    "{} contains the API key, which would be written to the disk and sent as a part of"
    " the prompt: remove it."
)
# It stands for the messages of the rows.
_MESSAGE: Final[Message] = {"role": "user", "content": BATCH_TEXT}


class LineBuilder(Protocol):
    """Builds the bodies of the lines of a run.

    Attributes:
        kind: What the rows are answered with.
        input_tokens: The estimated tokens of all bodies so far.
    """

    kind: Kind
    input_tokens: int

    @property
    def parameters(self) -> Mapping[str, Any]:
        """The body without the input of a row."""
        ...

    @property
    def reading(self) -> Mapping[str, Any]:
        """What the answers are read with."""
        ...

    def build_body(self, item: object) -> bytes:
        """Return the JSON text of the body for an input.

        Raises:
            ConfigurationError: The input cannot be sent.
        """
        ...


def build_lines(
    builder: LineBuilder,
    inputs: Iterable[object],
    endpoint: str,
    key: str,
    secrets: Sequence[str],
) -> Iterator[bytes]:
    """Yield the lines of a run.

    Args:
        builder: Builds the body of a line.
        inputs: The inputs of the rows. They are read once.
        endpoint: The path that the lines are for.
        key: The API key, which no line may contain.
        secrets: What no error may show.

    Raises:
        ConfigurationError: An input cannot be sent. The error names its index.
    """
    # A shorter one may be an ordinary word, as elsewhere.
    written_key = to_json(key)[1:-1] if len(key) >= MIN_LENGTH else None
    if written_key and written_key in to_json(builder.parameters):
        raise ConfigurationError(_HOLDS_KEY.format("An argument of the rows"))
    middle = f'","method":"POST","url":{json.dumps(endpoint)},"body":'.encode()
    for index, item in enumerate(inputs):
        try:
            body = builder.build_body(item)
        except ConfigurationError as error:
            message = hide_keys(f"inputs[{index}]: {error.message}", secrets)
            raise ConfigurationError(message) from None
        if written_key and written_key in body:
            raise ConfigurationError(_HOLDS_KEY.format(f"inputs[{index}]"))
        digest = hashlib.sha256(body).hexdigest()[:8]
        custom_id = f"{index:0{_ID_DIGITS}d}-{digest}".encode()
        line = b"".join((_ID_PREFIX, custom_id, middle, body, b"}\n"))
        if len(line) > _MAX_LINE_BYTES:
            raise ConfigurationError(
                f"inputs[{index}]: its line has {len(line):,} bytes, and the service"
                f" accepts {_MAX_LINE_BYTES:,}. Make it shorter, or pass media by URL."
            )
        yield line


def index_of(line: bytes) -> int:
    """Return the index of the row of a line that ``build_lines`` built."""
    begin = len(_ID_PREFIX)
    return int(line[begin : begin + _ID_DIGITS])


class ChatLines:
    """Builds the bodies of chat requests. All have the same parameters.

    Attributes:
        kind: What the rows are answered with.
        input_tokens: The estimated tokens of all bodies so far.
    """

    kind: Kind = "chat"

    def __init__(
        self, call: ChatCall, to_messages: Callable[[Any], Sequence[Message]]
    ) -> None:
        """Set what the lines share.

        Args:
            call: A call on the OpenAI-compatible protocol with the same arguments.
            to_messages: Converts an input to messages.

        Raises:
            ConfigurationError: A batch cannot have such requests.
        """
        self.input_tokens = 0
        self._call = call
        self._to_messages = to_messages
        self._is_partial: bool | None = None
        _check_plan(call.plan)
        self._set_plan(call.plan)

    @property
    def parameters(self) -> Mapping[str, Any]:
        """The body without the messages."""
        return self._parameters

    @property
    def reading(self) -> Mapping[str, Any]:
        """What the answers are read with: facts of the plan."""
        plan = self._plan
        return {
            "thinking_disabled": plan.thinking_disabled,
            "call_required": plan.call_required,
            "speech": plan.form.speech,
            "tools": plan.form.tools,
        }

    def _set_plan(self, plan: ChatPlan) -> None:
        body = dict(build_request(plan, [_MESSAGE]).json or {})
        self._plan = plan
        self._parameters = {
            name: value
            for name, value in body.items()
            if name not in {"messages", "stream"}
        }
        text = to_json(self._parameters)
        self._head, self._tail = text[:-1] + b',"messages":', b"}"
        tools = body.get("tools")
        self._tokens_a_row = tokens_of_bytes(len(to_json(tools))) if tools else 0

    def build_body(self, item: object) -> bytes:
        """Return the JSON text of the body for an input.

        Args:
            item: The input.

        Raises:
            ConfigurationError: The model or a batch does not take its messages.
        """
        messages = self._to_messages(item)
        if not messages:
            raise ConfigurationError("there are no messages.")
        self._check_prefix(ends_with_prefix(messages))
        plan = self._plan
        prompt = prepare_prompt(apply_rules(messages, plan), plan)
        if are_plain(messages) or all(map(is_text, messages)):
            text = to_json(prompt)
            size = len(text)
        else:
            prompt = self._with_files(prompt)
            text = to_json(prompt)
            size = _text_bytes(prompt)
        if size > _MAX_TOKENS * _MAX_BYTES_PER_TOKEN:
            raise ConfigurationError(
                f"the prompt is too long: it has {size:,} bytes of text, and a batch"
                f" accepts {_MAX_TOKENS:,} tokens. Shorten it."
            )
        self.input_tokens += tokens_of_bytes(size) + self._tokens_a_row
        return b"".join((self._head, text, self._tail))

    def _check_prefix(self, is_partial: bool) -> None:
        """Check that all rows have the same thinking mode: partial mode has none."""
        if self._is_partial is None:
            self._is_partial = is_partial
            if is_partial:
                plan = plan_partial(self._call.plan)
                # The others were issued with the plan of the call.
                for notice in plan.notices[len(self._call.plan.notices) :]:
                    warn_once(notice, set())
                self._set_plan(plan)
        elif self._is_partial != is_partial:
            raise ConfigurationError(
                "it is in partial mode and others are not, or the other way round: a"
                " batch has one thinking mode. Prepare two runs."
            )

    def _with_files(self, prompt: Sequence[Message]) -> Any:
        """Read local files. None is uploaded: ``prepare`` sends nothing."""
        call = self._call
        request = HttpRequest(json={"messages": prompt})
        prepared, files = prepare_addresses(request)
        if prepared.headers:
            raise ConfigurationError(
                "a file in the temporary storage (oss://) cannot be read by a batch:"
                " its requests have no headers. Pass a public URL."
            )
        if files:
            contents = load_files(
                files=files,
                connection=call.connection,
                context=call.context,
                model=call.plan.model.profile.id,
                upload=False,
                inline_bytes=inline_limits(call.plan.model.profile),
            )
            prepared = replace_files(prepared, contents)
        return (prepared.json or {})["messages"]


def _check_plan(plan: ChatPlan) -> None:
    model = plan.model.profile.id
    if plan.stream:
        raise ConfigurationError(
            f"{model} answers such requests as a stream only, and a batch has none: use"
            " stream=False, text without sound, or another model."
        )
    if (count := answer_count(plan.options)) > 1:
        raise ConfigurationError(
            f"n={count} is not possible in a batch: a row has one answer. Give"
            " the input n times."
        )
    if plan.call_retries:
        raise ConfigurationError(
            "forced_tool_choice_retries has no effect in a batch: a row is asked once."
            " Remove it; the rows without the call have an error."
        )


class EmbeddingLines:
    """Builds the bodies of embedding requests: one text each, as a document.

    Attributes:
        kind: What the rows are answered with.
        input_tokens: The estimated tokens of all texts so far.
    """

    kind: Kind = "embeddings"

    def __init__(self, resolved: ResolvedEmbeddings) -> None:
        """Set what the lines share.

        Args:
            resolved: The resolved arguments.

        Raises:
            ConfigurationError: A batch cannot have such requests.
        """
        if resolved.profile.multimodal:
            raise ConfigurationError(
                f"{resolved.profile.id} has no batch inference: batches are for the"
                " OpenAI-compatible protocol. Use a model such as 'text-embedding-v4'."
            )
        self.input_tokens = 0
        self._resolved = resolved
        connection = replace(resolved.connection, protocol="openai")
        compatible = replace(resolved, connection=connection, instruct=None)
        body = dict(build_embeddings(compatible, [], "document").json or {})
        self.parameters: Mapping[str, Any] = {
            name: value for name, value in body.items() if name != "input"
        }
        self._head = to_json(self.parameters)[:-1] + b',"input":'

    @property
    def reading(self) -> Mapping[str, Any]:
        """What the answers are read with."""
        return {"dimensions": self._resolved.dimensions}

    def build_body(self, item: object) -> bytes:
        """Return the JSON text of the body for a text.

        Args:
            item: The text.

        Raises:
            ConfigurationError: It is no text, empty, or surely too long.
        """
        limit = self._resolved.profile.max_row_tokens
        text = check_text(item, limit, "the text")
        self.input_tokens += estimate_tokens(text)
        return b"".join((self._head, to_json(text), b"}"))


def _text_bytes(prompt: Any) -> int:
    """Return the bytes of the texts in messages with media."""
    texts: list[str] = []
    for message in prompt:
        content = message.get("content") or ""
        if isinstance(content, str):
            texts.append(content)
            continue
        texts += [
            text
            for part in cast("list[dict[str, Any]]", content)
            if isinstance(text := part.get("text"), str)
        ]
    return sum(len(text.encode(errors="replace")) for text in texts)
