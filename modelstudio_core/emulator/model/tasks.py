"""The states of tasks over time, and the answers about them.

The shapes are recorded (2024-02 to 2026-06); those of video and of recognition are
from docs.qwencloud.com (2026-09).
"""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta, timezone
from typing import Final

from modelstudio_core.emulator.json_values import JsonObject
from modelstudio_core.emulator.studio import StoredTask

__all__ = [
    "LIFETIME",
    "parse_stamp",
    "status_of",
    "write_choices",
    "write_list_entry",
    "write_output",
    "write_usage",
]

# How long a task is kept after its end, and its files.
LIFETIME: Final = 24 * 3600.0
_BEIJING: Final = timezone(timedelta(hours=8))
_PENDING_PART: Final = 0.25
_SECONDS_OF_VIDEO: Final = 5


def status_of(task: StoredTask, now: float) -> str:
    """Return the status of a task.

    Args:
        task: The task.
        now: The time in seconds.
    """
    if now >= task.ended + LIFETIME:
        return "UNKNOWN"
    if task.canceled is not None:
        return "CANCELED"
    if now >= task.ended:
        return task.outcome.status
    return "PENDING" if now < _started(task) else "RUNNING"


def _started(task: StoredTask) -> float:
    return task.created + task.seconds * _PENDING_PART


def write_output(task: StoredTask, status: str, urls: Mapping[int, str]) -> JsonObject:
    """Write the ``output`` of a query.

    Args:
        task: The task.
        status: Its status.
        urls: The addresses of its files that did not fail, by their numbers.
    """
    output: JsonObject = {"task_id": task.id, "task_status": status}
    if status == "UNKNOWN":
        return output
    output["submit_time"] = _stamp(task.created)
    if status != "PENDING":
        output["scheduled_time"] = _stamp(_started(task))
    if status in {"SUCCEEDED", "FAILED", "CANCELED"}:
        output["end_time"] = _stamp(task.ended)
    if status == "FAILED":
        output |= {"code": task.outcome.code, "message": task.outcome.message}
    if status == "SUCCEEDED":
        output |= _write_result(task, urls)
    # Recorded: a video that is not done has no counts.
    if "video" not in task.profile.outputs:
        output["task_metrics"] = _write_metrics(task, status)
    return output


def _stamp(seconds: float) -> str:
    time = datetime.fromtimestamp(seconds, _BEIJING)
    return time.strftime("%Y-%m-%d %H:%M:%S.%f")[:-3]


def _write_metrics(task: StoredTask, status: str) -> JsonObject:
    failed = len(set(task.outcome.failed)) if status == "SUCCEEDED" else 0
    if status == "FAILED":
        failed = task.files
    good = task.files - failed if status == "SUCCEEDED" else 0
    return {"TOTAL": task.files, "SUCCEEDED": good, "FAILED": failed}


# --- Results ----------------------------------------------------------------------


def _write_result(task: StoredTask, urls: Mapping[int, str]) -> JsonObject:
    match task.profile.result_form:
        case "choices":
            return write_choices(urls)
        case "transcription":
            return _write_transcriptions(task, urls)
        case "image_url" | "url" as name:
            return {name: urls[0]}
        case "video_url":
            prompt = str(task.input.get("prompt", ""))
            texts = {"orig_prompt": prompt, "actual_prompt": f"{prompt}, in detail"}
            return {"video_url": urls[0], **(texts if prompt else {})}
        case _:
            return {"results": [_write_image(task, urls, n) for n in range(task.files)]}


def write_choices(urls: Mapping[int, str]) -> JsonObject:
    """Write the images of a result as choices.

    Args:
        urls: The addresses of the images by their numbers.
    """
    choices = [
        {
            "finish_reason": "stop",
            "message": {
                "content": [{"image": url, "type": "image"}],
                "role": "assistant",
            },
        }
        for url in urls.values()
    ]
    return {"choices": choices}


def _write_image(task: StoredTask, urls: Mapping[int, str], number: int) -> JsonObject:
    prompt = str(task.input.get("prompt", ""))
    if number not in urls:
        return {"code": task.outcome.code, "message": task.outcome.message}
    texts = {"orig_prompt": prompt, "actual_prompt": f"{prompt}, in detail"}
    return {**(texts if prompt else {}), "url": urls[number]}


def _write_transcriptions(task: StoredTask, urls: Mapping[int, str]) -> JsonObject:
    if task.profile.input_form == "file_url":
        return {"result": {"transcription_url": urls[0]}}
    results: list[JsonObject] = []
    for number, source in enumerate(task.input.get("file_urls", [])):
        entry: JsonObject = {"file_url": source}
        if number in urls:
            entry |= {
                "transcription_url": urls[number],
                "subtask_status": "SUCCEEDED",
            }
        else:
            entry |= {
                "code": task.outcome.code,
                "message": task.outcome.message,
                "subtask_status": "FAILED",
            }
        results.append(entry)
    return {"results": results}


def write_usage(task: StoredTask, count: int) -> JsonObject:
    """Write the ``usage`` of a task that succeeded.

    Args:
        task: The task.
        count: How many files it made.
    """
    outputs = task.profile.outputs
    if "video" in outputs:
        seconds = task.parameters.get("duration", _SECONDS_OF_VIDEO)
        if task.profile.input_form == "prompt":
            ratio = task.parameters.get("size", "1280*720")
            return {"video_duration": seconds, "video_ratio": ratio, "video_count": 1}
        return {
            "duration": seconds,
            "output_video_duration": seconds,
            "video_count": 1,
            "fps": 24,
            "SR": 720,
        }
    if task.profile.result_form == "transcription":
        return {"duration": 2 * count}
    if task.profile.result_form == "url":
        return {"total_tokens": 7}
    size = task.parameters.get("size")
    return {"image_count": count, **({"size": size} if size else {})}


def write_list_entry(task: StoredTask, status: str, api_key_id: str) -> JsonObject:
    """Write the entry of a task in the list.

    Args:
        task: The task.
        status: Its status.
        api_key_id: The id of the key.
    """
    entry: JsonObject = {
        "api_key_id": api_key_id,
        "caller_parent_id": "1000000000000000",
        "caller_uid": "1000000000000000",
        "gmt_create": round(task.created * 1000),
        "model_name": task.profile.id,
        "region": "emulator",
        "request_id": task.request_id,
        "status": status,
        "task_id": task.id,
        "user_api_unique_key": f"apikey:v1:{task.profile.id}",
    }
    if status != "PENDING":
        entry["start_time"] = round(_started(task) * 1000)
    if status in {"SUCCEEDED", "FAILED", "CANCELED"}:
        entry["end_time"] = round(task.ended * 1000)
    return entry


def parse_stamp(text: str) -> float | None:
    """Return the time that ``YYYYMMDDhhmmss`` means in Beijing; None if it is none.

    Args:
        text: The text.
    """
    try:
        time = datetime.strptime(text, "%Y%m%d%H%M%S").replace(tzinfo=_BEIJING)
    except ValueError:
        return None
    return time.astimezone(UTC).timestamp()
