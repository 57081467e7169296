"""Which tests may notice a change of a module of the core."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

__all__ = ["CORE", "stages_of"]

CORE: Final = "modelstudio_core"
# The tests of a module are the files and folders with its name, or with that of its
# package, in these places; and those listed here. What they miss, ``LAST`` may notice.
PLACES: Final = ("tests/core", "tests/end_to_end", "tests/end_to_end/field", "tests")
_RETRIEVAL: Final = (
    "tests/end_to_end/test_embeddings.py",
    "tests/end_to_end/test_multimodal_embeddings.py",
    "tests/end_to_end/test_rerank.py",
    "tests/end_to_end/test_recordings_retrieval.py",
)
_CONSTRUCTORS: Final = (
    "tests/core/test_arguments.py",
    "tests/core/chat/test_arguments.py",
    "tests/end_to_end/test_constructor.py",
)
_REQUESTS: Final = (
    "tests/core/chat",
    "tests/end_to_end/test_parity.py",
    "tests/end_to_end/field/test_requests.py",
)
_ANSWERS: Final = (
    "tests/core/chat",
    "tests/end_to_end/test_parity.py",
    "tests/end_to_end/field/test_answers.py",
)
_MEDIA: Final = (
    "tests/core/chat",
    "tests/end_to_end/field/test_broken_media.py",
    "tests/end_to_end/field/test_media.py",
    "tests/end_to_end/field/test_uploads.py",
    "tests/end_to_end/field/test_voice.py",
)
_LIMITS: Final = ("tests/core/test_limits.py", "tests/end_to_end/test_limits.py")
_TRANSPORT: Final = (
    "tests/core/transport",
    "tests/core/foreign",
    "tests/faults/test_retries.py",
    "tests/faults/test_connections.py",
)
WIDER_TESTS: Final[Mapping[str, Sequence[str]]] = {
    "api_keys.py": ("tests/end_to_end/test_api_key_functions.py", *_CONSTRUCTORS),
    "argument_hints.py": _CONSTRUCTORS,
    "arguments.py": _CONSTRUCTORS,
    "catalog": ("tests/core/catalog", "tests/end_to_end/field/test_catalog.py"),
    "chat/addresses.py": _MEDIA,
    "chat/arguments.py": _CONSTRUCTORS,
    "chat/choice.py": _ANSWERS,
    "chat/completion.py": _ANSWERS,
    "chat/dashscope.py": (*_REQUESTS, "tests/end_to_end/test_recordings_native.py"),
    "chat/history.py": (*_REQUESTS, "tests/end_to_end/field/test_histories.py"),
    "chat/media.py": _MEDIA,
    "chat/media_checks.py": _MEDIA,
    "chat/media_messages.py": _MEDIA,
    "chat/parser.py": _ANSWERS,
    "chat/speech.py": (*_MEDIA, "tests/end_to_end/field/test_answers.py"),
    "chat/usage.py": _ANSWERS,
    "chat": _REQUESTS,
    "connection_arguments.py": (
        *_CONSTRUCTORS,
        "tests/end_to_end/test_misplaced_keys.py",
    ),
    "connection_checks.py": _CONSTRUCTORS,
    "concurrent_arguments.py": (*_CONSTRUCTORS, *_RETRIEVAL),
    "embeddings": _RETRIEVAL,
    "endpoints.py": ("tests/core/catalog", "tests/core/test_policy.py"),
    "errors.py": ("tests/core/chat", "tests/core/transport", "tests/langchain"),
    "foreign": (*_TRANSPORT, "tests/faults/test_closing_early.py"),
    "files.py": ("tests/core/tasks", "tests/core/batches"),
    "fork_locks.py": ("tests/core/transport/test_forks_and_threads.py",),
    "generation.py": ("tests/core/tasks", "tests/end_to_end/test_image_agents.py"),
    "limit_state.py": _LIMITS,
    "limit_stores.py": _LIMITS,
    "limits.py": _LIMITS,
    "local_files.py": _MEDIA,
    "model_list.py": ("tests/cli",),
    "redaction.py": ("tests/core/test_secrets.py", "tests/faults/test_secrets.py"),
    "rerank.py": _RETRIEVAL,
    "saved_endpoints.py": ("tests/core/tasks", "tests/core/batches"),
    "secrets.py": (
        "tests/core/test_redaction.py",
        "tests/end_to_end/test_misplaced_keys.py",
        "tests/faults/test_secrets.py",
    ),
    "service_inputs.py": _RETRIEVAL,
    "sqlite_files.py": (*_LIMITS, "tests/core/batches"),
    "tasks": ("tests/end_to_end/test_recordings_tasks.py",),
    "transport/audit.py": ("tests/end_to_end/test_policy.py",),
    "transport/connection.py": (
        *_CONSTRUCTORS,
        "tests/documentation/test_reference.py",
        *_TRANSPORT,
    ),
    "transport/forms.py": ("tests/core/transport", *_MEDIA),
    "transport": _TRANSPORT,
    "uploads.py": _MEDIA,
    "user_warnings.py": ("tests/core",),
    "wire/times.py": ("tests/core/tasks", "tests/core/test_files.py"),
    "wire": ("tests/core/wire", "tests/core/chat"),
}
# The last tests, by the beginning of the module's path.
LAST: Final[Mapping[str, Sequence[str]]] = {
    "chat": (
        "tests/langchain/_chat",
        "tests/llamaindex/_chat",
        "tests/end_to_end/field/test_answers.py",
        "tests/end_to_end/field/test_arguments.py",
        "tests/end_to_end/field/test_histories.py",
        "tests/end_to_end/field/test_media.py",
        "tests/end_to_end/test_policy.py",
        "tests/end_to_end/test_recordings.py",
        "tests/faults/test_table.py",
    ),
    "transport": (
        "tests/end_to_end/test_policy.py",
        "tests/faults",
        "tests/attack",
        "--deselect=tests/faults/test_soak.py",
    ),
    "wire": (
        "tests/end_to_end/field/test_errors.py",
        "tests/end_to_end/field/test_media.py",
        "tests/end_to_end/test_recordings.py",
        "tests/faults/test_table.py",
    ),
    "": (
        "tests/core",
        "tests/documentation/test_reference.py",
        "tests/end_to_end/test_parity.py",
        "tests/faults/test_table.py",
    ),
}


def stages_of(path: str, tree: Path) -> list[tuple[str, ...]]:
    """Return the tests to run for a changed file, the narrowest first.

    Args:
        path: The path of the file in the repository.
        tree: Where the tests are: the repository, or a copy that does not change.
    """
    module = Path(path).relative_to(CORE)
    own = Path(PLACES[0]) / module.parent / f"test_{module.name}"
    service = module.parts[0].removesuffix(".py")
    named = [
        f"{place}/{name}"
        for place in PLACES
        for name in (f"test_{service}.py", service)
    ]
    listed = next((t for p, t in WIDER_TESTS.items() if module.is_relative_to(p)), ())
    last = next(tests for p, tests in LAST.items() if module.is_relative_to(p))
    wider = dict.fromkeys([*named, *listed])
    wider.pop(str(own), None)
    present = [
        tuple(test for test in stage if test.startswith("-") or (tree / test).exists())
        for stage in ([str(own)], wider, last)
    ]
    return [stage for stage in present if stage]
