"""Warnings point at the user's own line."""

import linecache
import threading
import warnings
from collections.abc import Callable
from typing import Any

import pytest

from modelstudio_core.errors import ModelStudioWarning
from modelstudio_core.user_warnings import warn_once, warn_user


def make_function(module: str, body: str, **names: object) -> Callable[[], None]:
    """Make a function that seems to be of a module with this name."""
    namespace: dict[str, Any] = {"__name__": module, **names}
    exec(f"def call():\n    {body}", namespace)  # noqa: S102 - the line above
    function: Callable[[], None] = namespace["call"]
    return function


def warn_below(*modules: str) -> Callable[[], None]:
    """Make a function that warns below frames of modules, the outermost first."""
    function = make_function(
        "modelstudio_core.chat", "warn('Careful.', UserWarning)", warn=warn_user
    )
    for module in reversed(modules):
        function = make_function(module, "call_next()", call_next=function)
    return function


def warning_of(call: Callable[[], None]) -> warnings.WarningMessage:
    """Call a function and return its only warning."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        call()  # the user's line
    [warning] = caught
    return warning


def line_of(warning: warnings.WarningMessage) -> str:
    """Return the line that a warning points at."""
    return linecache.getline(warning.filename, warning.lineno).strip()


@pytest.mark.parametrize("category", [UserWarning, DeprecationWarning, RuntimeWarning])
def test_message_and_category(category: type[Warning]) -> None:
    warning = warning_of(lambda: warn_user("Careful.", category))
    assert str(warning.message) == "Careful."
    assert warning.category is category


def test_a_warning_points_at_the_callers_line() -> None:
    warning = warning_of(
        lambda: warn_user("Careful.", UserWarning)  # called here
    )
    assert warning.filename == __file__
    assert line_of(warning).endswith("# called here")


@pytest.mark.parametrize(
    "modules",
    [
        [],
        ["langchain_modelstudio.chat_models"],
        ["langchain_core.runnables.base", "langchain_modelstudio.chat_models"],
        ["langchain.agents", "langgraph.pregel", "langchain_core.runnables"],
        ["llama_index.core.llms", "wrapt", "llamaindex_modelstudio.llm"],
        ["llama_index_instrumentation.dispatcher", "pydantic.main"],
        ["asyncio.events", "concurrent.futures", "contextvars", "threading"],
    ],
)
def test_frames_of_libraries_are_skipped(modules: list[str]) -> None:
    warning = warning_of(warn_below(*modules))
    assert warning.filename == __file__
    assert line_of(warning) == "call()  # the user's line"


@pytest.mark.parametrize("module", ["langchain_community.llms", "my_langchain", "app"])
def test_frames_of_other_modules_are_the_users(module: str) -> None:
    call = warn_below("langchain_core.runnables", module, "pydantic.main")
    assert warning_of(call).filename == "<string>"


def test_without_a_users_frame_a_warning_points_at_the_caller() -> None:
    """Such as in a thread that a framework has started."""

    def call_in_thread() -> None:
        thread = threading.Thread(target=warn_below("langchain_core.runnables"))
        thread.start()
        thread.join()

    warning = warning_of(call_in_thread)
    assert (warning.filename, warning.lineno) == ("<string>", 2)


def texts_of(*calls: tuple[str, set[str]]) -> list[str]:
    """Return the texts that are issued where several objects warn."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        for text, warned in calls:
            warn_once(text, warned)
    assert {warning.category for warning in caught} <= {ModelStudioWarning}
    return [str(warning.message) for warning in caught]


def test_a_warning_is_issued_once_for_an_object_and_once_for_the_process() -> None:
    first, second = set[str](), set[str]()
    assert texts_of(("A.", first), ("A.", first), ("B.", first)) == ["A.", "B."]
    # The object has been warned, whatever the filters are now; another one has not.
    assert texts_of(("A.", first), ("C.", second), ("C.", set())) == ["C."]
    assert texts_of(("A.", second), ("C.", first), ("C.", second)) == ["A.", "C."]
    assert (first, second) == ({"A.", "B.", "C."}, {"A.", "C."})


def test_a_warning_that_is_an_error_is_raised_once() -> None:
    warned: set[str] = set()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with pytest.raises(ModelStudioWarning, match=r"^A\.$"):
            warn_once("A.", warned)
        warn_once("A.", warned)
        warn_once("A.", set())
