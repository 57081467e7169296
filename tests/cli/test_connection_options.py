"""The options of a connection, and values that are passed by name."""

from pathlib import Path
from typing import Any

import pytest

from modelstudio_core.cli.connection_options import (
    ConnectionOptions,
    chat_options,
    named_values,
)
from modelstudio_core.cli.reports import Output, OutputOptions
from tests.cli.conftest import KEY
from tests.core.support import error_message


def test_only_what_was_given_becomes_an_argument(tmp_path: Path) -> None:
    output = Output(OutputOptions())
    assert ConnectionOptions().arguments(output) == {}
    file = tmp_path / "key"
    file.write_text(f"{KEY}\n")
    file.chmod(0o600)
    options = ConnectionOptions(
        region="us",
        timeout=0.0,
        total_timeout=5.0,
        max_retries=0,
        allow_insecure_http=True,
        api_key_file=file,
    )
    assert options.arguments(output) == {
        "region": "us",
        "timeout": 0.0,
        "total_timeout": 5.0,
        "max_retries": 0,
        "allow_insecure_http": True,
        "api_key": KEY,
    }


@pytest.mark.parametrize(
    ("pair", "value"),
    [
        ("a=1", 1),
        ("a=1.5", 1.5),
        ("a=true", True),
        ("a=null", None),
        ('a={"b": [1]}', {"b": [1]}),
        ('a="1"', "1"),
        ("a=1024*1024", "1024*1024"),
        ("a=b=c", "b=c"),
        ("a=", ""),
    ],
)
def test_a_value_is_json_or_else_a_string(pair: str, value: Any) -> None:
    values = named_values("--parameter", [pair, "other=2"])
    assert values == {"a": value, "other": 2}
    assert type(values["a"]) is type(value)


@pytest.mark.parametrize("pair", ["a", "", "=b", "="])
def test_a_pair_has_a_name_and_a_value(pair: str) -> None:
    message = error_message(named_values, "--parameter", [pair])
    assert message == f"--parameter must be NAME=VALUE, got {pair!r}."


@pytest.mark.parametrize("name", ["model", "api_key", "region", "limiter"])
def test_an_argument_of_the_connection_is_no_option_of_a_chat(name: str) -> None:
    message = error_message(chat_options, ["top_p=1", f"{name}=x"])
    assert message.startswith(f"--option {name} is an option of its own")
