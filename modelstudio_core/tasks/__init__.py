"""Asynchronous tasks: images, video, speech recognition, files of embeddings.

A task is bound to the endpoint and the key that created it. Creating one is paid for,
and is never repeated where it may have succeeded.

Example:
    >>> from modelstudio_core import tasks
    >>> from modelstudio_core.emulator import Emulator
    >>> with Emulator() as studio:
    ...     task = tasks.submit(
    ...         model="wan2.6-t2i",
    ...         prompt="A flower shop",
    ...         base_url=studio.base_url,
    ...         api_key=studio.api_key,
    ...     )
    ...     result = task.result(poll_interval=0.01)
    >>> task.status, len(result.files)
    ('SUCCEEDED', 1)
"""

from modelstudio_core.tasks.answers import TaskFile
from modelstudio_core.tasks.calls import asubmit, submit
from modelstudio_core.tasks.listing import TaskSummary, alist_tasks, list_tasks
from modelstudio_core.tasks.outputs import TaskResult
from modelstudio_core.tasks.task import Task

__all__ = [
    "Task",
    "TaskFile",
    "TaskResult",
    "TaskSummary",
    "alist_tasks",
    "asubmit",
    "list_tasks",
    "submit",
]
