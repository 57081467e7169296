"""The web search: results and usage."""

from typing import Any

from modelstudio_core.emulator import Reply
from tests.emulator.helpers import DashScopeClient

ROLE = {"role": "assistant"}
SEARCH: dict[str, Any] = {
    "enable_search": True,
    "search_options": {"enable_source": True, "search_strategy": "max"},
}


def test_an_answer_has_the_search_results(dashscope: DashScopeClient) -> None:
    response = dashscope.send("Rust is a language. What is Rust?", **SEARCH)
    body = response.json()
    assert body["usage"]["plugins"] == {"search": {"count": 1, "strategy": "max"}}
    assert body["output"]["search_info"] == {
        "extra_tool_info": [],
        "search_results": [
            {
                "icon": "https://example.com/favicon.ico",
                "site_name": "Example News",
                "index": 1,
                "title": "What is Rust? - Example News",
                "url": "https://example.com/articles/1",
            },
            {
                "icon": "https://example.org/favicon.ico",
                "site_name": "Example Archive",
                "index": 2,
                "title": "What is Rust? - Example Archive",
                "url": "https://example.org/articles/2",
            },
        ],
    }


def test_a_stream_sends_its_search_results_first_and_once(
    dashscope: DashScopeClient,
) -> None:
    result = {"index": 1, "title": "x", "url": "https://example.com/x"}
    dashscope.studio.script(Reply(text="Yes.", search_results=[result]))
    first, *rest = dashscope.chunks()
    first.pop("request_id")
    message = {"content": "", **ROLE}
    assert first == {
        "output": {
            "choices": [{"message": message, "finish_reason": "null"}],
            "search_info": {"search_results": [result]},
        },
        "usage": {},
    }
    empty: dict[str, Any] = {"extra_tool_info": [], "search_results": []}
    assert [chunk["output"]["search_info"] for chunk in rest] == [empty] * 2
    plugins = {"search": {"count": 1, "strategy": "turbo"}}
    assert [chunk["usage"]["plugins"] for chunk in rest] == [plugins] * 2


def test_search_results_are_sent_only_if_requested(dashscope: DashScopeClient) -> None:
    body = dashscope.send(enable_search=True).json()
    assert "search_info" not in body["output"]
    assert body["usage"]["plugins"] == {"search": {"count": 1, "strategy": "turbo"}}
    options = {"enable_source": True}
    assert "search_info" not in dashscope.output(search_options=options)
    chunks = dashscope.chunks(**SEARCH, result_format="text")
    assert [len(chunk["output"]["search_info"]["search_results"]) for chunk in chunks][
        :2
    ] == [
        2,
        0,
    ]
