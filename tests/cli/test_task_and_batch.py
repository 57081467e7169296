"""``modelstudio task`` and ``modelstudio batch``, on the emulator."""

import json
from collections.abc import Generator
from pathlib import Path

import pytest

from modelstudio_core.emulator import BatchScript, Emulator, TaskOutcome
from modelstudio_core.policy import Policy, set_policy
from tests.cli.conftest import KEY, Ran, Run
from tests.support.http_server import Scripted, serve_http


@pytest.fixture
def slow() -> Generator[Emulator]:
    """Return an emulator whose tasks take a minute."""
    with Emulator(api_key=KEY, task_seconds=60) as running:
        yield running


FAST = ("--poll-interval", "0.01")


# --- task -----------------------------------------------------------------------------


def test_a_task_is_created_and_waited_for(run: Run, studio: Emulator) -> None:
    ran = run(
        *("task", "create", "-m", "wan2.6-t2i", "A flower shop", "--json", *FAST),
        *("-p", "size=1024*1024", "--base-url", studio.base_url),
    )
    assert ran.code == 0
    assert ran.json["status"] == "SUCCEEDED"
    (file,) = ran.json["files"]
    assert file["url"].startswith("http")
    assert file["expires_at"]
    assert f"Task {ran.json['id']} was created" in ran.err
    body = studio.requests[0].body
    assert body["parameters"] == {"size": "1024*1024", "n": 1}
    assert [r.method for r in studio.requests].count("POST") == 1


def test_a_task_can_be_left_and_waited_for_later(
    run: Run, studio: Emulator, tmp_path: Path
) -> None:
    url = ("--base-url", studio.base_url)
    created = run(
        "task", "create", "-m", "wan2.6-t2i", "A", "--no-wait", "--json", *url
    )
    assert (created.code, created.json["done"]) == (0, False)
    task_id = created.json["id"]
    assert run("task", "show", task_id, *url).out.startswith(f"{task_id} ")
    folder = tmp_path / "pictures"
    ran = run("task", "wait", task_id, "--save", str(folder), "--json", *FAST, *url)
    assert ran.code == 0
    (path,) = ran.json["saved"]
    assert Path(path).parent == folder
    assert Path(path).stat().st_size > 0
    assert [r.method for r in studio.requests].count("POST") == 1


def test_tasks_are_listed_and_canceled(run: Run, slow: Emulator) -> None:
    url = ("--base-url", slow.base_url)
    created = run(
        "task", "create", "-m", "wan2.6-t2i", "A", "--no-wait", "--json", *url
    )
    task_id = created.json["id"]
    assert run("task", "cancel", task_id, "--json", *url).json["status"] == "CANCELED"
    rows = run("task", "list", "-m", "wan2.6-t2i", "--json", *url).json
    assert [(row["id"], row["status"]) for row in rows] == [(task_id, "CANCELED")]
    (row,) = rows
    (line,) = run("task", "list", *url).out.splitlines()
    assert line.split()[0] == task_id
    assert line.endswith(f"wan2.6-t2i  {row['created_at']}")
    assert run("task", "cancel", task_id, *url).code == 1


@pytest.mark.parametrize(
    "arguments",
    [
        ("-m", "wan2.6-t2i"),
        ("-m", "wan2.6-t2i", "A", "-p", "size"),
        ("-m", "no-such-model", "A"),
        ("-m", "no-such-model", "A", "--path", "../x"),
        ("-m", "wan2.6-t2i", "A", "--wait-timeout", "-1"),
        ("-m", "wan2.6-t2i", "A", "--poll-interval", "nan"),
        ("-m", "wan2.6-t2i", "A", "--save", "/dev/null/x"),
        ("-m", "wan2.7-i2v", "A", "--media", "first_frame"),
        ("A",),
    ],
)
def test_a_task_that_cannot_be_created_sends_nothing(
    run: Run, studio: Emulator, arguments: tuple[str, ...]
) -> None:
    ran = run("task", "create", *arguments, "--base-url", studio.base_url)
    assert (ran.code, ran.out) == (2, "")
    assert studio.requests == []


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("-m", "wan2.6-t2i"), "wan2.6-t2i needs a prompt."),
        (("-m", "wan2.6-t2i", ""), "prompt is empty."),
        (("-m", "fun-asr"), "fun-asr needs --url."),
        (
            ("-m", "fun-asr", "A"),
            "no place for a prompt: it accepts --url, or --input.",
        ),
        (("-m", "wan2.6-t2i", "--image", "a.png"), "no place for --image"),
        (("-m", "wan2.2-kf2v-flash"), "needs --image."),
        (("-m", "no-such-model", "A"), "pass --path, such as --path aigc/image-"),
        (("-m", "wanx2.1-imageedit", "A"), "fields of its own: pass --input,"),
        (("-m", "wan2.6-t2i", "A", "--save", "/dev/null/x"), "--save '/dev/null/x'"),
        (
            ("-m", "wan2.6-t2i", "A", "--wait-timeout", "-1"),
            "--wait-timeout must be a number of seconds >= 0, got -1.0.",
        ),
        (("-m", "wan2.7-i2v", "A", "--media", "=x"), "--media must be TYPE=ADDRESS"),
    ],
)
def test_an_error_of_a_task_names_options(
    run: Run, studio: Emulator, arguments: tuple[str, ...], message: str
) -> None:
    ran = run("task", "create", *arguments, "--base-url", studio.base_url)
    assert ran.code == 2
    assert message in ran.err
    assert studio.requests == []


def test_a_task_has_media_or_a_complete_input(run: Run, studio: Emulator) -> None:
    address = "https://example.com/a.png"
    options = ("--no-wait", "--json", "--base-url", studio.base_url)
    media = (
        "--media",
        f"first_frame={address}",
        "--media",
        f"last_frame={address}?b=c",
    )
    assert run("task", "create", "-m", "wan2.7-i2v", "A", *media, *options).code == 0
    fields = ("--input", f"image_url={address}", "--input", "style_index=3")
    assert (
        run("task", "create", "-m", "wanx-style-repaint-v1", *fields, *options).code
        == 0
    )
    assert [request.body["input"] for request in studio.requests] == [
        {
            "prompt": "A",
            "media": [
                {"type": "first_frame", "url": address},
                {"type": "last_frame", "url": f"{address}?b=c"},
            ],
        },
        {"image_url": address, "style_index": 3},
    ]


def test_a_model_of_tomorrow_has_a_path(run: Run, studio: Emulator) -> None:
    path = "aigc/image-generation/generation"
    run(
        *("task", "create", "-m", "wan9-t2i", "A", "--path", path, "--no-wait"),
        *("--base-url", studio.base_url),
    )
    assert studio.requests[0].path.endswith(f"/services/{path}")


def test_a_policy_of_models_needs_the_model_of_a_task(run: Run, slow: Emulator) -> None:
    url = ("--base-url", slow.base_url, "--json")
    task_id = run("task", "create", "-m", "wan2.6-t2i", "A", "--no-wait", *url).json[
        "id"
    ]
    set_policy(Policy(models=["wan2.6-*"]))
    for command in (("show", task_id), ("list",), ("cancel", task_id)):
        refused = run("task", *command, *url)
        assert (refused.code, refused.json["error"]["class"]) == (2, "PolicyError")
        assert refused.err.endswith(": pass --model.\n")
        assert run("task", *command, "-m", "wan2.6-t2i", *url).code == 0


def test_a_task_that_takes_too_long_names_itself(run: Run, slow: Emulator) -> None:
    url = ("--base-url", slow.base_url)
    created = run(
        "task", "create", "-m", "wan2.6-t2i", "A", "--no-wait", "--json", *url
    )
    task_id = created.json["id"]
    ran = run("task", "wait", task_id, "--wait-timeout", "0.01", *url)
    assert ran.code == 6
    assert task_id in ran.err
    assert ran.err.endswith("run 'modelstudio task wait'.\n")


def test_a_task_for_people(run: Run, studio: Emulator, tmp_path: Path) -> None:
    url = ("--base-url", studio.base_url)
    assert run("task", "list", *url).err == "There are no tasks.\n"
    ran = run("task", "create", "-m", "wan2.6-t2i", "A", *FAST, *url)
    assert ran.code == 0
    (address,) = ran.out.splitlines()
    assert address.startswith(f"{studio.base_url}/")
    created, expiry, end = ran.err.splitlines()
    task_id = created.split()[1]
    assert created == f"Task {task_id} was created (PENDING)."
    assert expiry.startswith("The address works until 20")
    assert end == "[SUCCEEDED, usage {'image_count': 1}]"
    # Files that were saved have no address any more that somebody needs.
    saved = run("task", "wait", task_id, "--save", str(tmp_path), *FAST, *url)
    (path,) = tmp_path.iterdir()
    assert (saved.out, saved.err) == (f"{path}\n", f"{end}\n")


def test_a_file_that_failed_is_named_beside_those_that_did_not(
    run: Run, studio: Emulator
) -> None:
    studio.script_tasks(TaskOutcome(failed={0}), TaskOutcome(failed={0}))
    arguments = (
        *("task", "create", "-m", "wan2.6-t2i", "A", "-p", "n=2", *FAST),
        *("--base-url", studio.base_url),
    )
    files = run(*arguments, "--json").json["files"]
    (failed,) = [file for file in files if file["error"]]
    assert (len(files), failed["expires_at"]) == (2, None)
    ran = run(*arguments)
    assert ran.code == 0
    assert len(ran.out.splitlines()) == 1
    assert f"One file failed: {failed['error']}\n" in ran.err


def test_a_task_that_makes_text(run: Run) -> None:
    output = {"task_id": "t-1", "task_status": "SUCCEEDED", "text": "Hello\x1b."}
    body = {"output": output, "usage": {"seconds": 2}, "request_id": "r-1"}
    answer = Scripted(200, json.dumps(body).encode())
    with serve_http(answer, answer) as server:
        url = ("--base-url", server.base_url)
        ran = run("task", "wait", "t-1", *FAST, *url)
        value = run("task", "wait", "t-1", "--json", *FAST, *url).json
    assert (ran.out, ran.err) == (
        "Hello\\x1b.\n",
        "[SUCCEEDED, usage {'seconds': 2}]\n",
    )
    assert value == {
        "id": "t-1",
        "status": "SUCCEEDED",
        "done": True,
        "model": None,
        "region": None,
        "request_id": "r-1",
        "files": [],
        "text": "Hello\x1b.",
        "usage": {"seconds": 2},
        "saved": [],
    }


@pytest.mark.parametrize(
    ("options", "count"), [((), 20), (("--limit", "21"), 21), (("--limit", "99"), 25)]
)
def test_twenty_tasks_are_listed_unless_another_number_is_asked_for(
    run: Run, options: tuple[str, ...], count: int
) -> None:
    rows = [{"task_id": f"t-{number}", "status": "PENDING"} for number in range(25)]
    answer = Scripted(200, json.dumps({"data": rows, "total_page": 1}).encode())
    with serve_http(answer) as server:
        ran = run("task", "list", "--json", *options, "--base-url", server.base_url)
    assert [row["id"] for row in ran.json] == [row["task_id"] for row in rows[:count]]
    assert {(row["created_at"], row["ended_at"]) for row in ran.json} == {(None, None)}


def test_a_task_that_was_canceled_has_a_time_of_its_end(
    run: Run, slow: Emulator
) -> None:
    url = ("--base-url", slow.base_url, "--json")
    created = run("task", "create", "-m", "wan2.6-t2i", "A", "--no-wait", *url).json
    (row,) = run("task", "list", *url).json
    assert (bool(row["created_at"]), row["ended_at"]) == (True, None)
    ended = run("task", "cancel", created["id"], *url).json
    assert (created["done"], ended["done"]) == (False, True)
    (row,) = run("task", "list", "--status", "CANCELED", *url).json
    assert (row["id"], bool(row["ended_at"])) == (created["id"], True)


@pytest.mark.parametrize("group", ["task", "batch"])
def test_a_group_without_a_command_lists_its_commands(run: Run, group: str) -> None:
    ran = run(group)
    assert f"Usage: modelstudio {group} " in ran.out
    assert "cancel" in ran.out


# --- batch ----------------------------------------------------------------------------


def prepared(run: Run, studio: Emulator, folder: Path, *arguments: str) -> Ran:
    inputs = folder / "prompts.jsonl"
    rows: list[object] = ["Hello.", [{"role": "user", "content": "Bye."}]]
    inputs.write_text("\n".join(map(json.dumps, rows)) + "\n")
    return run(
        *("batch", "prepare", str(folder / "run"), str(inputs), "-m", "qwen-plus"),
        *("--base-url", studio.base_url, "--json", *arguments),
    )


def test_a_run_from_a_file_to_the_results(
    run: Run, studio: Emulator, tmp_path: Path
) -> None:
    ran = prepared(run, studio, tmp_path, "-o", "max_tokens=50")
    assert (ran.code, ran.json["status"], ran.json["rows"]) == (0, "prepared", 2)
    assert studio.requests == []
    assert KEY not in "".join(p.read_text() for p in (tmp_path / "run").iterdir())
    directory = str(tmp_path / "run")
    submitted = run("batch", "submit", directory, "--json")
    assert (submitted.code, submitted.json["status"]) == (0, "running")
    assert "input tokens in 2 rows" in submitted.err
    again = run("batch", "submit", directory, "--json")
    assert again.json["batch_ids"] == submitted.json["batch_ids"]
    studio.advance(3600)
    assert run("batch", "status", directory, "--json").json["status"] == "ended"
    assert run("batch", "collect", directory, "--json", *FAST).json[
        "rows_by_status"
    ] == {"done": 2}
    ran = run("batch", "results", directory)
    rows = [json.loads(line) for line in ran.out.splitlines()]
    assert (ran.code, [row["index"] for row in rows]) == (0, [0, 1])
    assert all(row["answer"] and row["output_tokens"] for row in rows)
    assert run("batch", "results", directory, "--json").json == rows
    assert run("batch", "resume", directory, "--json").err.startswith("0 rows")


def test_rows_without_an_answer_are_in_the_results(
    run: Run, studio: Emulator, tmp_path: Path
) -> None:
    prepared(run, studio, tmp_path)
    directory = str(tmp_path / "run")
    assert run("batch", "status", directory, "--offline").code == 0
    ran = run("batch", "results", directory, "--json")
    assert ran.code == 1
    assert [row["status"] for row in ran.json] == ["pending", "pending"]
    assert studio.requests == []
    run("batch", "submit", directory)
    assert run("batch", "cancel", directory, "--json").code == 0


def test_the_status_of_a_run_is_asked_for_unless_it_is_offline(
    run: Run, studio: Emulator, tmp_path: Path
) -> None:
    prepared(run, studio, tmp_path)
    command = ("batch", "status", str(tmp_path / "run"), "--json")
    # There is no batch yet that could be asked for.
    assert run(*command).json["status"] == "prepared"
    assert studio.requests == []
    run("batch", "submit", str(tmp_path / "run"))
    studio.advance(3600)
    sent = len(studio.requests)
    assert run(*command, "--offline").json["status"] == "running"
    assert len(studio.requests) == sent
    assert run(*command).json["status"] == "ended"
    assert len(studio.requests) > sent
    assert run(*command, "--offline").json["status"] == "ended"


def test_rows_that_failed_are_sent_again_only_if_asked(
    run: Run, studio: Emulator, tmp_path: Path
) -> None:
    prepared(run, studio, tmp_path)
    directory = str(tmp_path / "run")
    studio.script_batches(BatchScript(bad_lines=[1], bad_code="InternalError"))
    run("batch", "submit", directory)
    studio.advance(3600)
    collected = run("batch", "collect", directory, "--json", *FAST)
    assert collected.json["rows_by_status"] == {"done": 1, "error": 1}
    assert run("batch", "resume", directory).err.startswith("0 rows")
    assert run("batch", "resume", directory, "--errors").err.startswith("1 row")


def test_the_result_of_each_row(run: Run, studio: Emulator, tmp_path: Path) -> None:
    inputs = tmp_path / "prompts.jsonl"
    inputs.write_text('"Grüße."\n"Bye."\n', "utf-8")
    directory = str(tmp_path / "run")
    run(
        *("batch", "prepare", directory, str(inputs), "-m", "qwen-plus"),
        *("--base-url", studio.base_url, "-o", "enable_thinking=true"),
    )
    (first, _) = run("batch", "results", directory, "--json").json
    nothing = dict.fromkeys(first) | {"index": 0, "status": "pending"}
    assert first == nothing
    studio.script_batches(BatchScript(bad_lines=[1], bad_code="InternalError"))
    run("batch", "submit", directory)
    studio.advance(3600)
    run("batch", "collect", directory, "--json", *FAST)
    ran = run("batch", "results", directory, "--json")
    assert ran.code == 1
    done, failed = ran.json
    assert "Grüße" in ran.out
    assert done["answer"]
    assert done["reasoning"]
    assert (done["tool_calls"], done["embedding"], done["error"]) == (None, None, None)
    assert done["finish_reason"] == "stop"
    assert done["input_tokens"] > 0
    assert done["output_tokens"] > 0
    assert failed == nothing | {
        "index": 1,
        "status": "error",
        "error": failed["error"],
        "request_id": failed["request_id"],
    }
    assert failed["error"]


@pytest.mark.parametrize("deletes", [False, True])
def test_the_files_of_the_service_are_deleted_if_that_is_asked_for(
    run: Run, studio: Emulator, tmp_path: Path, deletes: bool
) -> None:
    prepared(run, studio, tmp_path)
    directory = str(tmp_path / "run")
    run("batch", "submit", directory)
    studio.advance(3600)
    option = ("--delete-remote",) if deletes else ()
    assert run("batch", "collect", directory, "--json", *FAST, *option).code == 0
    assert ("DELETE" in {request.method for request in studio.requests}) is deletes


def test_texts_to_embed(run: Run, studio: Emulator, tmp_path: Path) -> None:
    inputs = tmp_path / "texts.txt"
    inputs.write_text("A fox.\nA car.\n")
    directory = str(tmp_path / "run")
    ran = run(
        *("batch", "prepare", directory, str(inputs), "--text", "--json"),
        *("-m", "text-embedding-v4", "--base-url", studio.base_url),
    )
    assert (ran.code, ran.json["rows"]) == (0, 2)
    run("batch", "submit", directory)
    studio.advance(3600)
    run("batch", "collect", directory, "--json", *FAST)
    rows = run("batch", "results", directory, "--json").json
    assert [len(row["embedding"]) for row in rows] == [1024, 1024]


def test_a_line_that_is_not_json(run: Run, studio: Emulator, tmp_path: Path) -> None:
    inputs = tmp_path / "prompts.txt"
    inputs.write_text('"one"\ntwo\n')
    ran = run(
        *("batch", "prepare", str(tmp_path / "run"), str(inputs), "-m", "qwen-plus"),
        *("--base-url", studio.base_url),
    )
    assert (ran.code, ran.out) == (2, "")
    assert "line 2 is not JSON" in ran.err
    assert "--text" in ran.err


def test_a_directory_without_a_run(run: Run, tmp_path: Path) -> None:
    assert run("batch", "status", str(tmp_path)).code == 2


def test_the_directory_of_a_run_is_private(
    run: Run, studio: Emulator, tmp_path: Path
) -> None:
    prepared(run, studio, tmp_path)
    directory = tmp_path / "run"
    run("batch", "submit", str(directory))
    studio.advance(3600)
    run("batch", "collect", str(directory), "--json", *FAST)
    assert directory.stat().st_mode & 0o777 == 0o700
    files = [path for path in directory.rglob("*") if path.is_file()]
    assert len(files) > 3
    assert {path.stat().st_mode & 0o077 for path in files} == {0}
    assert (directory / ".gitignore").read_text().strip() == "*"
    assert not any(KEY.encode() in path.read_bytes() for path in files)


@pytest.mark.parametrize(
    ("content", "arguments", "message"),
    [
        (b"Hello\n", (), "line 1 is not JSON"),
        (b'"A"\n\n"B"\n{"c": 1}\n', (), "rows, line 4: "),
        (b'\n\n[]\n"A"\n', (), "rows, line 3: "),
        (b'"A"\n"\xff"\n', (), "line 2 is not UTF-8: invalid start byte."),
        (b"\xff\n", ("--text",), "line 1 is not UTF-8: invalid start byte."),
        (b'"A"\n', ("--completion-window", "1h"), "--completion-window must be"),
        (b"", (), "inputs is empty"),
    ],
)
def test_a_run_that_cannot_be_prepared(  # noqa: PLR0917 - three of them are fixtures
    run: Run,
    studio: Emulator,
    tmp_path: Path,
    content: bytes,
    arguments: tuple[str, ...],
    message: str,
) -> None:
    inputs, directory = tmp_path / "rows", tmp_path / "run"
    inputs.write_bytes(content)
    ran = run(
        *("batch", "prepare", str(directory), str(inputs), "-m", "qwen-plus"),
        *("--base-url", studio.base_url, *arguments),
    )
    assert (ran.code, ran.out) == (2, "")
    assert message in ran.err


def test_a_missing_file_of_rows_is_a_usage_error(
    run: Run, studio: Emulator, tmp_path: Path
) -> None:
    for name in ("none.jsonl", "."):
        ran = run(
            *("batch", "prepare", str(tmp_path / "run"), str(tmp_path / name)),
            *("-m", "qwen-plus", "--base-url", studio.base_url),
        )
        assert (ran.code, ran.out) == (2, "")
        assert "Invalid value for 'FILE'" in ran.err


def test_an_error_of_a_run_names_commands(
    run: Run, studio: Emulator, tmp_path: Path
) -> None:
    missing = run("batch", "status", str(tmp_path / "none"))
    assert missing.err.endswith("prepare one with 'modelstudio batch prepare'.\n")
    prepared(run, studio, tmp_path)
    directory = str(tmp_path / "run")
    early = run("batch", "collect", directory)
    assert early.err.endswith("run 'modelstudio batch submit' first.\n")
    other = prepared(run, studio, tmp_path, "-o", "max_tokens=5")
    assert "which differs in the inputs or the arguments of the model." in other.err
    run("batch", "submit", directory)
    for option in ("--wait-timeout", "--poll-interval"):
        wrong = run("batch", "collect", directory, option, "-1")
        assert f"{option} must be a number of seconds >= 0, got -1.0." in wrong.err
    late = run("batch", "collect", directory, "--wait-timeout", "0", "--json")
    assert late.code == 6
    assert late.err.endswith("It goes on: run 'modelstudio batch collect' again.\n")
