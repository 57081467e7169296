"""The key is in no output, in no process list and in no history of a shell."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from modelstudio_core.emulator import Emulator, Fault
from tests.cli.conftest import KEY, Run

ROOT = Path(__file__).parents[2]
PAGES = (
    *sorted(ROOT.glob("*.md")),
    *sorted((ROOT / "docs").rglob("*.md")),
    *sorted((ROOT / "distributions").rglob("*.md")),
)


@pytest.mark.parametrize(
    "arguments",
    [
        ("chat", "--api-key", "KEY", "Hi"),
        ("chat", "--api-key=KEY", "Hi"),
        ("chat", "--region", "KEY", "Hi"),
        ("doctor", "--workspace", "KEY"),
        ("models", "KEY"),
        ("KEY",),
    ],
)
def test_a_key_on_the_command_line_is_refused(
    run: Run, studio: Emulator, arguments: tuple[str, ...]
) -> None:
    ran = run(*(argument.replace("KEY", KEY) for argument in arguments))
    assert (ran.code, ran.out) == (2, "")
    assert ran.err.startswith("Error: an argument looks like an API key.")
    in_json = run(*(argument.replace("KEY", KEY) for argument in arguments), "--json")
    assert in_json.code == in_json.json["exit_code"] == 2
    assert in_json.json["error"]["message"] == ran.err[7:-1]
    assert KEY not in in_json.out + in_json.err + ran.err
    assert "--api-key-file" in ran.err
    assert studio.requests == []


def test_there_is_no_option_for_a_key(run: Run) -> None:
    ran = run("chat", "--api-key", "abc", "Hi")
    assert ran.code == 2
    assert "No such option: --api-key" in ran.err


def test_a_key_from_a_file(run: Run, studio: Emulator, tmp_path: Path) -> None:
    file = tmp_path / "key"
    file.write_text(f"  {KEY}\n")
    file.chmod(0o600)
    url = studio.base_url
    ran = run("chat", "Hi", "--base-url", url, "--api-key-file", str(file), key=None)
    assert ran.code == 0
    assert "Warning" not in ran.err
    assert studio.requests[0].headers["authorization"] == f"Bearer {KEY}"


def test_a_file_that_others_can_read_is_a_warning(
    run: Run, studio: Emulator, tmp_path: Path
) -> None:
    file = tmp_path / "key"
    file.write_text(KEY)
    file.chmod(0o644)
    ran = run("chat", "Hi", "--base-url", studio.base_url, "--api-key-file", str(file))
    assert ran.code == 0
    assert f"Run: chmod 600 {file}" in ran.err


@pytest.mark.parametrize("content", ["", "two words", "x" * 5000, None])
def test_a_file_that_holds_no_key(
    run: Run, tmp_path: Path, content: str | None
) -> None:
    file = tmp_path / "key"
    if content is not None:
        file.write_text(content)
    ran = run("chat", "Hi", "--api-key-file", str(file), key=None)
    assert (ran.code, ran.out) == (2, "")
    assert "--api-key-file" in ran.err


def test_a_key_of_another_form_in_an_option_is_not_repeated(
    run: Run, studio: Emulator
) -> None:
    """Such as one of a gateway: the value of the environment is hidden everywhere."""
    key = "gateway.0123456789abcdefgh"
    studio.script(Fault(status=400, code="x", message=f"Bad {key}"))
    ran = run("chat", "Hi", "--region", key, key=key)
    assert ran.code == 2
    ran = run("chat", "Hi", "--base-url", studio.base_url, "--verbose", key=key)
    assert ran.code != 0


def test_the_process_list_has_no_key(studio: Emulator, tmp_path: Path) -> None:
    file = tmp_path / "key"
    file.write_text(KEY)
    file.chmod(0o600)
    studio.script(Fault.silence(20))
    code = "import sys; from modelstudio_core.cli import main; sys.exit(main())"
    arguments = ["chat", "Hi", "--base-url", studio.base_url, "--api-key-file", file]
    with subprocess.Popen(  # noqa: S603 - the command of this package
        [sys.executable, "-c", code, *map(str, arguments)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    ) as process:
        while not studio.requests:
            assert process.poll() is None
        line = Path(f"/proc/{process.pid}/cmdline").read_bytes()
        environment = Path(f"/proc/{process.pid}/environ").read_bytes()
        process.terminate()
    assert b"chat" in line
    assert KEY.encode() not in line + environment


def shell_blocks() -> list[tuple[str, str]]:
    return [
        (page.name, block)
        for page in PAGES
        for block in re.findall(
            r"^```(?:sh|bash|console|shell)?\n(.*?)^```",
            page.read_text(encoding="utf-8"),
            re.DOTALL | re.MULTILINE,
        )
    ]


def test_the_documentation_puts_no_key_into_a_history() -> None:
    blocks = shell_blocks()
    assert len(blocks) > 5
    strays = [
        f"{name}: {line}"
        for name, block in blocks
        for line in block.splitlines()
        if re.search(r"DASHSCOPE_API_KEY=|--api-key[ =]|Bearer sk-", line)
    ]
    assert strays == []
    assert any("read -rs DASHSCOPE_API_KEY" in block for _, block in blocks)
