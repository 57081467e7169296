"""Secrets: what counts as one, where it is hidden, and in which logs."""

import gc
import logging
import time
from collections.abc import Generator
from typing import Any, Final, cast

import pytest

from modelstudio_core import secrets
from modelstudio_core.errors import ConfigurationError
from modelstudio_core.secrets import (
    digest_of,
    hide_in_error,
    hide_in_logs,
    hide_keys,
    holds_key,
    is_key,
    is_private_header,
    redact,
    secrets_of,
    sign,
)
from tests.core.support import KEY, STARS

# The nesting down to which secrets are hidden one by one.
LIMIT: Final = 64

# --- What is a secret ---------------------------------------------------------------


def test_the_key_and_the_values_of_headers_are_secrets() -> None:
    headers = [("X-Gateway", "gateway-secret"), ("Authorization", "Bearer token-12345")]
    assert secrets_of(KEY, headers) == (
        KEY,
        "gateway-secret",
        "Bearer token-12345",
        "token-12345",
    )


@pytest.mark.parametrize(
    "name",
    [
        "Accept",
        "accept-encoding",
        "ACCEPT-LANGUAGE",
        "Content-Type",
        "HTTP-Referer",
        "Origin",
        "Referer",
        "User-Agent",
        "X-Title",
    ],
)
def test_values_of_public_headers_are_no_secrets(name: str) -> None:
    assert secrets_of(KEY, [(name, "application/json")]) == (KEY,)


def test_a_secret_has_eight_characters_or_more() -> None:
    assert secrets_of("1234567", [("X-A", "7654321")]) == ()
    assert secrets_of("12345678", [("X-A", "87654321")]) == ("12345678", "87654321")


def test_each_secret_is_listed_once() -> None:
    assert secrets_of(KEY, [("X-A", KEY), ("X-B", f"Bearer {KEY}")]) == (
        KEY,
        f"Bearer {KEY}",
    )


# --- In texts -----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        (f"a {KEY} b", f"a {STARS} b"),
        (KEY, STARS),
        (f"{KEY}{KEY}", f"{STARS}{STARS}"),
        (f"{KEY} and {KEY}", f"{STARS} and {STARS}"),
        # Cut texts: at least a third of the secret, and eight characters.
        (KEY[:9], STARS),
        (f"{KEY[:-1]}!", f"{STARS}!"),
        (f"a {KEY[:12]}", f"a {STARS}"),
        (KEY[:8], KEY[:8]),
        # Anywhere else: twelve characters.
        (KEY[1:], STARS),
        (f"-{KEY[5:17]}-", f"-{STARS}-"),
        (f"-{KEY[5:16]}-", f"-{KEY[5:16]}-"),
        (KEY.upper(), STARS),
        ("no secret", "no secret"),
        ("", ""),
    ],
)
def test_a_secret_in_a_text(text: str, shown: str) -> None:
    assert redact(text, [KEY]) == shown


@pytest.mark.parametrize("secret", ["", "test", "1234567"])
def test_a_short_text_is_not_hidden(secret: str) -> None:
    text = "this is a test with 1234567"
    assert redact(text, [secret]) == text


@pytest.mark.parametrize(
    ("secret", "form"),
    [
        ('quo"ted-secret', 'quo\\"ted-secret'),
        ("back\\slash-secret", "back\\\\slash-secret"),
        ("with spaces-secret", "with%20spaces-secret"),
        ("a/b+c=d-secret", "a%2Fb%2Bc%3Dd-secret"),
    ],
)
def test_every_form_of_a_secret_is_hidden(secret: str, form: str) -> None:
    assert redact(f"<{secret}|{form}>", [secret]) == f"<{STARS}|{STARS}>"


def test_every_secret_is_hidden() -> None:
    other = "another-secret"
    assert redact(f"{KEY} {other}", (KEY, other)) == f"{STARS} {STARS}"


@pytest.mark.parametrize(
    ("secret", "form"),
    [
        ("0123456789abcdef/ghijklmn", "0123456789abcdef%2Fghijklmn"),
        ('0123456789abcdef"ghijklmn', '0123456789abcdef\\"ghijklmn'),
    ],
)
def test_forms_with_the_same_beginning_are_hidden(secret: str, form: str) -> None:
    assert redact(f"<{secret}|{form}>", [secret]) == f"<{STARS}|{STARS}>"


@pytest.mark.parametrize("order", [slice(None), slice(None, None, -1)])
def test_secrets_with_the_same_beginning_are_hidden(order: slice) -> None:
    pair = ("0123456789abcdef-ghijklmn", "0123456789abcdef-opqrstuv")
    assert redact("|".join(pair), pair[order]) == f"{STARS}|{STARS}"


def test_a_secret_that_begins_with_another_one_is_hidden() -> None:
    assert redact(f"<{KEY}-and-more>", (KEY, f"{KEY}-and-more")) == f"<{STARS}>"


# --- In nested values ---------------------------------------------------------------


def nest_in_lists(value: object, depth: int) -> object:
    """Put a value into lists within lists."""
    for _ in range(depth):
        value = [value]
    return value


def nest_in_dicts(value: object, depth: int) -> object:
    """Put a value into dicts within dicts."""
    for _ in range(depth):
        value = {"k": value}
    return value


def nest_in_both(value: object, depth: int) -> object:
    """Put a value into lists and dicts by turns; the outermost is a list."""
    for level in reversed(range(depth)):
        value = {"k": value} if level % 2 else [value]
    return value


def nest_in_a_key(value: object, depth: int) -> object:
    """Put a value into tuples within a tuple that is the key of a dict in a list."""
    if depth < 3:
        return nest_in_lists(value, depth)
    for _ in range(depth - 2):
        value = (value,)
    return [{value: 1}]


EACH_NESTING: Final = pytest.mark.parametrize(
    "nest", [nest_in_lists, nest_in_dicts, nest_in_both, nest_in_a_key]
)


@EACH_NESTING
@pytest.mark.parametrize("depth", [0, 1, 2, LIMIT - 1, LIMIT, LIMIT + 1])
def test_a_secret_is_hidden_down_to_the_limit(nest: Any, depth: int) -> None:
    assert redact(nest(KEY, depth), [KEY]) == nest(STARS, depth)


@EACH_NESTING
@pytest.mark.parametrize("depth", [0, 1, LIMIT, LIMIT + 1])
def test_other_values_are_kept_down_to_the_limit(nest: Any, depth: int) -> None:
    for value in ("text", 5, None, 1.5, True):
        nested = nest(value, depth)
        assert redact(nested, [KEY]) == nested


@EACH_NESTING
@pytest.mark.parametrize("beyond", [1, 2, 100])
def test_what_is_nested_deeper_is_replaced(nest: Any, beyond: int) -> None:
    """A container below the limit is hidden, whatever it holds."""
    for value in (KEY, "text", 5):
        shown = redact(nest(value, LIMIT + 1 + beyond), [KEY])
        assert shown == nest(STARS, LIMIT + 1)


def test_a_secret_in_a_tuple_is_hidden() -> None:
    value = ("a", [("Authorization", "Bearer sk-0123456789")])
    hidden = redact(value, ["sk-0123456789"])
    assert hidden == ("a", [("Authorization", "Bearer **********")])


def test_secrets_in_keys_and_beside_each_other() -> None:
    value = {KEY: [KEY, {"a": KEY}], "b": 1, 2: None}
    assert redact(value, [KEY]) == {STARS: [STARS, {"a": STARS}], "b": 1, 2: None}


def test_the_original_is_not_changed() -> None:
    value = {"a": [KEY]}
    redact(value, [KEY])
    assert value == {"a": [KEY]}


@pytest.mark.parametrize("value", [5, 1.5, None, True, b"sk"])
def test_other_types_are_returned_as_they_are(value: object) -> None:
    assert redact(value, [KEY]) is value


# --- Digests and keys in arguments ----------------------------------------------------


def test_a_digest_tells_accounts_apart_and_shows_nothing() -> None:
    headers = [("X-Tenant", "7"), ("X-Team", "a")]
    digests = {
        digest_of(KEY, []),
        digest_of(f"{KEY}x", []),
        digest_of(KEY, headers),
        digest_of(f"{KEY}x", headers),
        digest_of(KEY, [("X-Tenant", "8"), ("X-Team", "a")]),
        digest_of(KEY, [("X-Tenant", "a"), ("X-Team", "7")]),
    }
    assert len(digests) == 6
    assert {len(digest) for digest in digests} == {32}
    assert digest_of(KEY, headers) == digest_of(KEY, headers[::-1])
    assert digest_of(KEY, [("x-tenant", "7")]) == digest_of(KEY, [("X-Tenant", "7")])


def test_a_signature_is_made_with_the_key_of_all_of_the_text() -> None:
    signatures = {sign(KEY, "a"), sign(KEY, "b"), sign(f"{KEY}x", "a")}
    assert len(signatures) == 3
    assert sign(KEY, "a") in signatures
    assert {len(signature) for signature in signatures} == {64}


@pytest.mark.parametrize(
    ("name", "is_private"),
    [
        *(
            (name, True)
            for name in (
                *("Authorization", "proxy-authorization", "Cookie", "X-Secret-Id"),
                *("X-Auth-Token", "api-key", "X-Api-Key", "apikey", "access_key"),
                *("X-Access-Key", "Ocp-Apim-Subscription-Key"),
            )
        ),
        *(
            (name, False)
            for name in ("X-Trace-Id", "X-Token-Count", "X-Key", "Accept", "api-keys")
        ),
    ],
)
def test_private_headers_are_known_by_their_names(name: str, is_private: bool) -> None:
    assert is_private_header(name) is is_private
    assert is_private_header(name.upper()) is is_private


@pytest.mark.parametrize("text", ["sk-0123456789ab", "sk-0123456789abcdef"])
def test_a_key_within_a_text_is_found(text: str) -> None:
    for around in (text, f"--region={text}", f"'{text}'", f"a {text}/b"):
        assert holds_key(around)
        assert hide_keys(around) == around.replace(text, STARS)
    for other in (text[:14], f"x{text}", text.replace("sk-", "sk_"), text.upper()):
        assert not holds_key(other)
        assert hide_keys(other) == other


def test_known_secrets_are_hidden_in_errors_beside_what_looks_like_a_key() -> None:
    error = ConfigurationError("gateway-secret and sk-0123456789abcdef")
    hide_in_error(error, ["gateway-secret"])
    assert error.message == f"{STARS} and {STARS}"
    assert error.args == (error.message,)
    assert str(error) == error.message


@pytest.mark.parametrize("text", ["sk-0123456789abcdef", "sk-proj-a.b_c-0123456789"])
def test_what_looks_like_a_key_is_hidden_in_texts_about_arguments(text: str) -> None:
    assert is_key(text)
    assert hide_keys(f"Unknown region {text!r}.") == f"Unknown region '{STARS}'."


@pytest.mark.parametrize("text", ["sk-test", "task-0123456789abcdef", "qwen-plus", ""])
def test_other_values_are_shown(text: str) -> None:
    assert not is_key(text)
    assert hide_keys(f"got {text!r}") == f"got {text!r}"


# --- Logs ---------------------------------------------------------------------------


class Client:
    """Something whose life limits how long its secrets are hidden."""


class Recorder(logging.Handler):
    """Collects formatted records."""

    def __init__(self) -> None:
        super().__init__()
        self.lines: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.lines.append(self.format(record))


@pytest.fixture
def recorder() -> Generator[Recorder]:
    """Record what the logger ``httpx`` writes."""
    handler, logger = Recorder(), logging.getLogger("httpx")
    logger.addHandler(handler)
    level = logger.level
    logger.setLevel(logging.DEBUG)
    yield handler
    logger.removeHandler(handler)
    logger.setLevel(level)


LOG_SECRET: Final = "log-secret-0123456789"


def test_secrets_of_a_live_client_are_hidden_in_logs(recorder: Recorder) -> None:
    client = Client()
    hide_in_logs(client, (LOG_SECRET,))
    logger = logging.getLogger("httpx")
    logger.info("key %s", LOG_SECRET)
    logger.info("no secret: %d", 5)
    logger.info({"key": LOG_SECRET})
    assert recorder.lines == [f"key {STARS}", "no secret: 5", f"{{'key': '{STARS}'}}"]
    del client
    gc.collect()
    logger.info("key %s", LOG_SECRET)
    assert recorder.lines[-1] == f"key {LOG_SECRET}"


def test_secrets_of_several_clients_are_hidden(recorder: Recorder) -> None:
    clients = [Client(), Client()]
    for number, client in enumerate(clients):
        hide_in_logs(client, (f"{number}-{LOG_SECRET}",))
    logging.getLogger("httpx").info("0-%s 1-%s", LOG_SECRET, LOG_SECRET)
    assert recorder.lines == [f"{STARS} {STARS}"]


def test_a_secret_in_a_traceback_is_hidden(recorder: Recorder) -> None:
    client = Client()
    hide_in_logs(client, (LOG_SECRET,))
    logger = logging.getLogger("httpx")
    for text in (LOG_SECRET, "no secret"):
        try:
            int(text)
        except ValueError:
            logger.exception("Oops")
    hidden, shown = recorder.lines
    assert LOG_SECRET not in hidden
    assert "ValueError: invalid literal" in hidden
    assert f"'{STARS}'" in hidden
    assert "'no secret'" in shown


@pytest.mark.parametrize(
    "name",
    [
        *("Signature", "OSSAccessKeyId", "security-token", "x-oss-signature"),
        *("x-oss-credential", "X-OSS-Security-Token", "credential"),
    ],
)
def test_a_signed_address_is_logged_without_its_signature(
    recorder: Recorder, name: str
) -> None:
    """It is a key to one file."""
    hide_in_logs(Client(), ())
    logger = logging.getLogger("httpx")
    logger.info("GET %s", f"https://a.example/b?Expires=1&{name}=a%2Fb+c==&d=e")
    logger.info("GET https://a.example/b?%s=abc", name)
    logger.info('"https://a.example/b?%s=abc" and "%s="', name, name)
    assert recorder.lines == [
        f"GET https://a.example/b?Expires=1&{name}={STARS}&d=e",
        f"GET https://a.example/b?{name}={STARS}",
        f'"https://a.example/b?{name}={STARS}" and "{name}="',
    ]


class Unprintable:
    """An argument of a record whose text cannot be made."""

    def __str__(self) -> str:
        """Fail."""
        raise RuntimeError("no text")


@pytest.mark.parametrize(
    ("message", "arguments"),
    [
        (f"%d %d {LOG_SECRET}", ("a",)),
        (f"%(a)s {LOG_SECRET}", {"b": LOG_SECRET}),
        (f"%s {LOG_SECRET}", (Unprintable(), LOG_SECRET)),
        (f"%s %s {LOG_SECRET}", ({"k": [LOG_SECRET]},)),
        (f"%c {LOG_SECRET}", (-1,)),
    ],
)
def test_a_record_that_cannot_be_formatted_shows_no_secret(
    message: str, arguments: Any
) -> None:
    """The handler reports it, with the message and the arguments."""
    client = Client()
    hide_in_logs(client, (LOG_SECRET,))
    record = logging.LogRecord("httpx", 10, "x.py", 1, message, (), None)
    record.args = arguments
    assert logging.getLogger("httpx").filter(record)
    arguments_shown: Any = record.args
    if isinstance(arguments_shown, tuple):
        arguments_shown = arguments_shown[1:]
    assert LOG_SECRET not in f"{record.msg} {arguments_shown}"
    assert STARS in record.msg


def test_a_secret_in_extra_fields_and_in_the_stack_is_hidden() -> None:
    client = Client()
    hide_in_logs(client, (LOG_SECRET,))
    extra = {"note": LOG_SECRET, "deep": {"a": [f"x {LOG_SECRET}"]}, "number": 5}
    record = logging.getLogger("httpx").makeRecord(
        "httpx", 10, "x.py", 1, "m", (), None, extra=extra, sinfo=f"at {LOG_SECRET}"
    )
    assert logging.getLogger("httpx").filter(record)
    values = vars(record)
    assert (values["note"], values["number"]) == (STARS, 5)
    assert values["deep"] == {"a": [f"x {STARS}"]}
    assert record.stack_info == f"at {STARS}"


@pytest.mark.parametrize("beyond", [0, 1, 2])
def test_extra_fields_are_searched_down_to_the_limit(beyond: int) -> None:
    client = Client()
    hide_in_logs(client, (LOG_SECRET,))
    for nest in (nest_in_lists, nest_in_dicts):
        extra = {"note": nest(LOG_SECRET, LIMIT + 1 + beyond)}
        record = logging.getLogger("httpx").makeRecord(
            "httpx", 10, "x.py", 1, "m", (), None, extra=extra
        )
        assert logging.getLogger("httpx").filter(record)
        assert vars(record)["note"] == nest(STARS, LIMIT + 1)


@pytest.mark.parametrize("beyond", [0, 1, 2])
def test_arguments_that_cannot_be_formatted_are_searched_down_to_the_limit(
    beyond: int,
) -> None:
    client = Client()
    hide_in_logs(client, (LOG_SECRET,))
    for nest in (nest_in_lists, nest_in_dicts):
        for value, hidden in (
            (nest(LOG_SECRET, LIMIT + beyond), nest(STARS, LIMIT)),
            (LOG_SECRET, STARS),
        ):
            for arguments, shown in (
                ({"a": value}, {"a": hidden}),
                ((value,), (hidden,)),
            ):
                record = logging.LogRecord("httpx", 10, "x.py", 1, "%d", (), None)
                record.args = cast("Any", arguments)
                assert logging.getLogger("httpx").filter(record)
                assert cast("object", record.args) == shown


def test_hundreds_of_live_keys_cost_little_for_each_record() -> None:
    clients = [Client() for _ in range(200)]
    for number, client in enumerate(clients):
        hide_in_logs(client, (f"sk-{number:04d}-{number**7:024x}",))
    record = logging.LogRecord("httpx", 10, "x.py", 1, "HTTP 200 %s", ("OK",), None)
    logging.getLogger("httpx").filter(record)
    begin = time.process_time()
    for _ in range(100):
        logging.getLogger("httpx").filter(record)
    assert time.process_time() - begin < 0.05
    secret = f"sk-0199-{199**7:024x}"
    record = logging.LogRecord("httpx", 10, "x.py", 1, secret, (), None)
    logging.getLogger("httpx").filter(record)
    assert record.msg == STARS


@pytest.mark.parametrize(
    "name",
    [
        "aiohttp.client",
        "aiohttp.internal",
        "dashscope.v2.transport",
        "hpack.hpack",
        "hpack.table",
        "httpcore.connection",
        "httpcore.http11",
        "httpcore.http2",
        "httpcore.proxy",
        "httpcore.socks",
        "httpcore2.connection",
        "httpcore2.http11",
        "httpx",
        "httpx2",
        "modelstudio",
        "modelstudio.audit",
        "openai",
        "openai._base_client",
    ],
)
def test_the_loggers_of_the_libraries_have_the_filter(name: str) -> None:
    client = Client()
    hide_in_logs(client, (LOG_SECRET,))
    hide_in_logs(client, (LOG_SECRET,))
    filters = logging.getLogger(name).filters
    assert filters.count(secrets._filter) == 1
