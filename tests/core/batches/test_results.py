"""What the rows of a run hold, by the lines of the files that were downloaded."""

import json
from pathlib import Path
from typing import Any

import pytest

from modelstudio_core.batches import BatchRun
from modelstudio_core.chat.arguments import ChatArguments
from modelstudio_core.errors import APIError, BadRequestError
from tests.support.batches import change, prompts, small_parts

Run = BatchRun[Any]
KEY = "sk-0123456789abcdef"


def prepared(path: Path, rows: int) -> None:
    model = ChatArguments(model="qwen-plus", region="beijing", api_key=KEY)
    BatchRun.prepare(model, prompts(rows), directory=path)


def collected(path: Path, **state: Any) -> Run:
    """Return a run whose first part has a state, with results on disk."""
    fields = {"step": "collected", "batch_id": "batch_1", "status": "completed"}
    change(path / "state.json", **fields | state)
    run: Run = BatchRun.open(path, api_key=KEY)
    return run


def line(index: int, body: object, status: int | None = 200, **fields: object) -> bytes:
    """Return a line of a file of results."""
    response = {"status_code": status, "request_id": f"r-{index}", "body": body}
    value = {"custom_id": f"{index:010d}-0123abcd", "response": response, **fields}
    return json.dumps(value).encode() + b"\n"


def answer(index: int, text: str = "Hi.", **fields: object) -> bytes:
    message = {"role": "assistant", "content": text}
    choice = {"index": 0, "finish_reason": "stop", "message": message}
    body = {"id": "chatcmpl-1", "object": "chat.completion", "choices": [choice]}
    return line(index, body, **fields)  # type: ignore[arg-type]


def refusal(index: int, code: str | None, status: int | None = None) -> bytes:
    return line(index, None, status, error={"code": code, "message": "No."})


def statuses(run: Run) -> list[str]:
    return [row.status for row in run.results()]


def problems(run: Run) -> list[str]:
    found = run._read(run._progress.parts).problems
    assert {number for number, _ in found} <= {1}
    return [text for _, text in found]


def test_an_answer_has_precedence_over_an_error_of_its_row(path: Path) -> None:
    """And the last of several results of a row; each row counts once."""
    prepared(path, 3)
    output = [answer(2), answer(0, "First."), b"\n", answer(0, "Second."), b"  \n"]
    (path / "part-0001.output.jsonl").write_bytes(b"".join(output))
    errors = [refusal(0, "x", 400), refusal(1, "InvalidParameter", 400)]
    (path / "part-0001.errors.jsonl").write_bytes(b"".join(errors))
    run = collected(path, output_file_id="o", error_file_id="e", answered=2, failed=1)
    rows = list(run.results())
    assert [row.status for row in rows] == ["done", "error", "done"]
    assert rows[0].message is not None
    assert rows[0].message.text == "Second."
    assert type(rows[1].error) is BadRequestError
    assert problems(run) == []


@pytest.mark.parametrize(
    ("answered", "expected"),
    [
        (0, ["The files of part 1 have results of 1 rows of 3."]),
        (1, ["Part 1 has 3 rows, and the service counts 1."]),
        (
            2,
            [
                "Part 1 has 3 rows, and the service counts 2.",
                "The files of part 1 have results of 1 rows of 3.",
            ],
        ),
        (3, ["The files of part 1 have results of 1 rows of 3."]),
    ],
)
def test_a_problem_is_a_count_that_differs_from_both_others(
    answered: int, expected: list[str], path: Path
) -> None:
    prepared(path, 3)
    (path / "part-0001.output.jsonl").write_bytes(answer(1))
    run = collected(path, output_file_id="o", answered=answered)
    assert problems(run) == expected
    assert statuses(run) == ["missing", "done", "missing"]


def test_lines_of_no_row_are_counted(path: Path) -> None:
    prepared(path, 1)
    odd = answer(0).replace(b"0000000000-", b"000000000-")
    output = [answer(1), b"garbage\n", answer(0), odd, b"\n"]
    (path / "part-0001.output.jsonl").write_bytes(b"".join(output))
    run = collected(path, output_file_id="o", answered=1)
    text = "part-0001.output.jsonl has 3 lines that belong to no row of the part."
    assert problems(run) == [text]
    assert statuses(run) == ["done"]


@pytest.mark.parametrize("code", ["batch_expired", "batch_cancelled", None])
@pytest.mark.parametrize(
    ("status_of_batch", "status", "expected"),
    [
        ("expired", None, "missing"),
        ("cancelled", None, "missing"),
        ("expired", 200, "missing"),
        ("completed", None, "error"),
        ("failed", None, "error"),
        ("expired", 400, "error"),
        ("cancelled", 500, "error"),
    ],
)
def test_a_row_was_not_run_if_its_batch_ended_early_and_nothing_answered_it(
    status_of_batch: str, status: int | None, expected: str, code: str, path: Path
) -> None:
    prepared(path, 1)
    (path / "part-0001.errors.jsonl").write_bytes(refusal(0, code, status))
    run = collected(path, error_file_id="e", status=status_of_batch)
    (row,) = run.results()
    assert row.status == expected
    assert isinstance(row.error, APIError)
    assert row.request_id == "r-0"


def test_an_error_beside_an_answer_is_an_error(path: Path) -> None:
    prepared(path, 2)
    error = {"code": "InvalidParameter", "message": "No."}
    output = answer(0, error=error) + answer(1, error={})
    (path / "part-0001.output.jsonl").write_bytes(output)
    rows = list(collected(path, output_file_id="o").results())
    assert [row.status for row in rows] == ["error", "done"]
    assert rows[0].error is not None
    assert rows[0].error.message == "No."


def test_the_line_that_a_batch_names_is_counted_from_one_in_its_own_part(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    small_parts(monkeypatch, 3)
    prepared(path, 6)
    error = {"code": "InvalidParameter", "message": "No such thing.", "line": 2}
    state = json.loads((path / "state.json").read_bytes())
    for part in state["parts"]:
        part |= {"step": "collected", "batch_id": "b", "status": "failed"}
    state["parts"][1] |= {"errors": [{"line": 7}, error]}
    (path / "state.json").write_text(json.dumps(state), encoding="utf-8")
    run: Run = BatchRun.open(path, api_key=KEY)
    rows = list(run.results())
    assert [row.index for row in rows if row.status == "error"] == [4]
    assert type(rows[4].error) is BadRequestError
    assert "No such thing." in str(rows[4].error)
    assert {row.status for row in rows if row.index != 4} == {"missing"}


def test_a_row_without_a_result_names_the_first_three_reasons_of_its_batch(
    path: Path,
) -> None:
    prepared(path, 1)
    errors = [{"message": "One."}, {"code": "two"}, {"message": "", "code": "three"}]
    run = collected(path, status="failed", errors=[*errors, {"message": "Four."}])
    (row,) = run.results()
    assert row.status == "missing"
    text = "Row 0 has no result: batch batch_1 is failed (One.; two; three). resume()"
    assert text in str(row.error)
    (other,) = collected(path, status="expired", errors=[]).results()
    assert "batch batch_1 is expired. resume() sends it again." in str(other.error)


def test_a_row_is_shown_with_its_status_and_its_error(path: Path) -> None:
    prepared(path, 2)
    (path / "part-0001.output.jsonl").write_bytes(answer(0))
    (path / "part-0001.errors.jsonl").write_bytes(refusal(1, "InvalidParameter", 400))
    run = collected(path, output_file_id="o", error_file_id="e", answered=1, failed=1)
    done, refused = run.results()
    assert repr(done) == "BatchRow(index=0, status='done')"
    shown = f"BatchRow(index=1, status='error', error={refused.error!r})"
    assert repr(refused) == shown
