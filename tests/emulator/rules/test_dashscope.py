"""Rules of the DashScope protocol, and how its refusals are sent."""

from typing import Any

import pytest

from tests.emulator.helpers import MULTIMODAL, TEXT, DashScopeClient, dashscope_events

TOOL = {"type": "function", "function": {"name": "get_weather"}}
ALGO = "<400> InternalError.Algo.InvalidParameter: "
NEEDS_MESSAGE_FORMAT = (
    'The result_format parameter must be "message" when enable_thinking is true'
)


@pytest.mark.parametrize(
    ("model", "path"),
    [
        ("qwen3.7-plus", TEXT),
        ("qwen-plus", MULTIMODAL),
        ("deepseek-v4-pro", MULTIMODAL),
        ("qwen3-vl-plus", TEXT),
        ("wan2.6-t2i", TEXT),
    ],
)
@pytest.mark.parametrize("stream", [False, True])
def test_another_path_than_the_models_is_refused(
    dashscope: DashScopeClient, model: str, path: str, stream: bool
) -> None:
    error = dashscope.error(model=model, path=path, stream=stream)
    assert error == (400, "InvalidParameter", "url error, please check url!")


@pytest.mark.parametrize("stream", [False, True])
def test_delisted_models_are_not_found(
    dashscope: DashScopeClient, stream: bool
) -> None:
    status, code, _ = dashscope.error(model="deepseek-r1", stream=stream)
    assert (status, code) == (404, "ModelNotFound")


def test_a_refused_stream_has_its_status_in_a_comment(
    dashscope: DashScopeClient,
) -> None:
    response = dashscope.send(temperature=2.0, stream=True)
    request_id = response.headers["x-request-id"]
    assert response.status_code == 200
    assert response.headers["content-type"] == "text/event-stream;charset=UTF-8"
    assert response.text == (
        "id:1\nevent:error\n:HTTP_STATUS/400\n"
        'data:{"code":"InvalidParameter",'
        f'"message":"{ALGO}Temperature should be in [0.0, 2.0)",'
        f'"request_id":"{request_id}"}}\n\n'
    )


def test_an_internal_error_in_a_stream_has_status_500(
    dashscope: DashScopeClient,
) -> None:
    assistant = {"role": "assistant", "content": "Yes"}
    response = dashscope.send(
        [{"role": "user", "content": "Hi"}, assistant], stream=True
    )
    ((kind, status, data),) = dashscope_events(response.text)
    assert (kind, status) == ("error", 500)
    assert data["code"] == "InternalError.Algo"


@pytest.mark.parametrize(
    ("options", "code", "message"),
    [
        (
            {"temperature": -1},
            "InvalidParameter",
            f"{ALGO}Temperature should be in [0.0, 2.0)",
        ),
        (
            {"seed": -1},
            "InvalidParameter",
            f"{ALGO}Range of seed should be [0, {2**63 - 1}]",
        ),
        (
            {"model": "qwen-max", "enable_thinking": True},
            "InvalidParameter.NotSupportEnableThinking",
            "The model qwen-max does not support enable_thinking.",
        ),
        (
            {"enable_thinking": True, "result_format": "text"},
            "InvalidParameter",
            NEEDS_MESSAGE_FORMAT,
        ),
        (
            {"enable_thinking": True, "result_format": None},
            "InvalidParameter",
            NEEDS_MESSAGE_FORMAT,
        ),
        (
            {"tools": [TOOL], "result_format": "text"},
            "InvalidParameter",
            (
                f'{ALGO}The result_format parameter must be "message" when tools are'
                " given (emulator)."
            ),
        ),
        (
            {"response_format": {"type": "json_object"}},
            "InvalidParameter",
            (
                f"{ALGO}'messages' must contain the word 'json' in some form, to use"
                " 'response_format' of type 'json_object'."
            ),
        ),
    ],
)
def test_invalid_parameters_are_refused(
    dashscope: DashScopeClient, options: dict[str, Any], code: str, message: str
) -> None:
    assert dashscope.error(**options) == (400, code, message)


def test_reasoning_needs_an_incremental_stream(dashscope: DashScopeClient) -> None:
    options: dict[str, Any] = {"enable_thinking": True}
    for incremental in (False, None):
        response = dashscope.send(
            stream=True, incremental_output=incremental, **options
        )
        ((kind, status, data),) = dashscope_events(response.text)
        assert (kind, status) == ("error", 400)
        assert data["code"] == "InvalidParameter"
        assert data["message"] == (
            'The incremental_output parameter must be "true" when enable_thinking is'
            " true"
        )
    assert dashscope.output(incremental_output=False, **options)
    assert dashscope.chunks(**options)
