"""Agents of both frameworks that draw, change what they drew, and look at it."""

# LlamaIndex types only some attributes of its agents.
# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false

import errno
import json
import pickle
from pathlib import Path
from typing import Any

import pytest
from langchain.agents import create_agent
from langchain_core.messages import AIMessage, HumanMessage, ToolMessage
from llama_index.core.agent.workflow import FunctionAgent, ToolCallResult
from llama_index.core.base.llms.types import ChatMessage, ImageBlock

from langchain_modelstudio import ModelStudioImageGeneration
from langchain_modelstudio.errors import (
    APITimeoutError,
    TaskFailedError,
)
from llamaindex_modelstudio import ModelStudioToolSpec
from modelstudio_core.emulator import Emulator, Fault, Reply, TaskOutcome, ToolCall
from modelstudio_core.errors import (
    APIConnectionError,
    ConfigurationError,
    InternalServerError,
    PolicyError,
)
from modelstudio_core.policy import Policy, set_policy
from modelstudio_core.tasks import waiting
from modelstudio_core.transport import fetch
from tests.end_to_end.field.media_support import PNG_BYTES
from tests.llamaindex.support import IGNORE_AGENT_WARNINGS, chat_memory
from tests.support.http_server import Scripted, serve_http
from tests.support.models import (
    FRAMEWORKS,
    KEY,
    PROTOCOLS,
    Framework,
    Protocol,
    model,
)
from tests.support.tasks import STYLES, Style, creations

pytestmark = IGNORE_AGENT_WARNINGS
EACH_PROTOCOL = pytest.mark.parametrize("protocol", PROTOCOLS)
EACH_FRAMEWORK = pytest.mark.parametrize("framework", FRAMEWORKS)
SEEING = "qwen3.8-max"
DRAWING = "qwen-image-3.0"
PROMPT = "A flower shop"


def at(studio: Emulator, **arguments: Any) -> dict[str, Any]:
    defaults = {
        "base_url": studio.base_url,
        "api_key": studio.api_key,
        "max_retries": 0,
        "poll_interval": 0.0,
    }
    return defaults | arguments


def tool(studio: Emulator, **arguments: Any) -> ModelStudioImageGeneration:
    values: dict[str, Any] = {"model": DRAWING, **at(studio, **arguments)}
    return ModelStudioImageGeneration(**values)


def spec(studio: Emulator, **arguments: Any) -> ModelStudioToolSpec:
    values: dict[str, Any] = {"image_model": DRAWING, **at(studio, **arguments)}
    return ModelStudioToolSpec(**values)


def call(prompt: str, name: str = "generate_image", **arguments: Any) -> Reply:
    return Reply(tool_calls=[ToolCall(name, {"prompt": prompt, **arguments})])


def task_bodies(studio: Emulator) -> list[Any]:
    """Return the bodies of the requests that made images."""
    return [r.body for r in studio.requests if r.headers.get("x-dashscope-async")]


def shown_images(studio: Emulator) -> list[str]:
    """Return the addresses of the images in the last chat request."""
    chats = [r for r in studio.requests if "messages" in json.dumps(r.body)]
    body = [r.body for r in chats if r.body["model"] == SEEING][-1]
    messages = body.get("messages") or body["input"]["messages"]
    parts = [
        part
        for message in messages
        if message["role"] == "user" and isinstance(message["content"], list)
        for part in message["content"]
    ]
    urls = [part.get("image") or part.get("image_url", {}).get("url") for part in parts]
    return [url for url in urls if url]


def chat_bodies(studio: Emulator) -> list[Any]:
    return [r.body for r in studio.requests if r.body["model"] == SEEING]


def saved(folder: Path) -> list[Path]:
    return [*folder.iterdir()]


def is_png(path: str | Path) -> bool:
    return Path(path).read_bytes().startswith(PNG_BYTES[:8])


# --- Agents ---------------------------------------------------------------------------


@EACH_PROTOCOL
@pytest.mark.parametrize("style", ["sync", "async"])
async def test_a_langchain_agent_draws_changes_and_looks(
    protocol: Protocol, style: str, modelstudio_emulator: Emulator, tmp_path: Path
) -> None:
    studio = modelstudio_emulator
    llm = model("LangChain", studio, protocol, model=SEEING)
    draw = tool(studio, directory=tmp_path, show_images=True)
    agent: Any = create_agent(llm, [draw])

    async def ask(messages: list[Any]) -> list[Any]:
        given = {"messages": messages}
        run = agent.ainvoke(given) if style == "async" else None
        answer = await run if run else agent.invoke(given)
        return [*answer["messages"]]

    studio.script(call(PROMPT), Reply(text="Here it is."))
    messages = await ask([HumanMessage("Draw a flower shop.")])
    drawn = next(m for m in messages if isinstance(m, ToolMessage))
    (file,) = drawn.artifact["files"]
    assert is_png(file["path"])
    assert shown_images(studio) == [file["url"]]

    name = Path(file["path"]).name
    studio.script(call("At night", images=[file["url"], name]), Reply(text="Done."))
    messages = await ask([*messages, HumanMessage("Now at night.")])
    assert isinstance(messages[-1], AIMessage)
    assert messages[-1].text == "Done."
    changed = [m for m in messages if isinstance(m, ToolMessage)][-1]
    first, second = task_bodies(studio)
    assert first["parameters"] == second["parameters"] == {"n": 1}
    content = second["input"]["messages"][0]["content"]
    assert content[0] == {"image": file["url"]}
    assert content[1]["image"].startswith("data:image/png;base64,")
    assert content[2] == {"text": "At night"}
    assert shown_images(studio) == [file["url"], changed.artifact["files"][0]["url"]]
    assert len(saved(tmp_path)) == 2


@EACH_PROTOCOL
async def test_a_llamaindex_agent_draws_changes_and_looks(
    protocol: Protocol, modelstudio_emulator: Emulator, tmp_path: Path
) -> None:
    studio = modelstudio_emulator
    llm = model("LlamaIndex", studio, protocol, model=SEEING)
    tools: Any = spec(
        studio, edit_model=DRAWING, directory=tmp_path, show_images=True
    ).to_tool_list()
    agent: Any = FunctionAgent(llm=llm, tools=tools)
    memory: Any = chat_memory()

    async def ask(text: str) -> list[str]:
        handler = agent.run(text, memory=memory)
        outputs = [
            event.tool_output.content
            async for event in handler.stream_events()
            if isinstance(event, ToolCallResult)
        ]
        await handler
        return outputs

    studio.script(call(PROMPT), Reply(text="Here it is."))
    (drawn,) = await ask("Draw a flower shop.")
    url, name = drawn.split()[2], drawn.split()[-1].rstrip(".")
    assert is_png(tmp_path / name)
    assert shown_images(studio) == [url]

    studio.script(call("At night", "edit_image", images=[name]), Reply(text="Done."))
    (changed,) = await ask("Now at night.")
    first, second = task_bodies(studio)
    assert first["parameters"] == second["parameters"] == {"n": 1}
    content = second["input"]["messages"][0]["content"]
    assert content[0]["image"].startswith("data:image/png;base64,")
    assert shown_images(studio) == [url, changed.split()[2]]


@EACH_PROTOCOL
@EACH_FRAMEWORK
async def test_an_agent_on_the_emulator_ends_after_a_tool_returned_an_image(
    framework: Framework,
    protocol: Protocol,
    modelstudio_emulator: Emulator,
    tmp_path: Path,
) -> None:
    """The image is in a user message behind the result, which asks for nothing."""
    studio = modelstudio_emulator
    llm: Any = model(framework, studio, protocol, model=SEEING)
    arguments: Any = {"directory": tmp_path, "show_images": True}
    text = "Generate an image of a flower shop."
    if framework == "LangChain":
        agent: Any = create_agent(llm, [tool(studio, **arguments)])
        state = await agent.ainvoke({"messages": [HumanMessage(text)]})
        answer = state["messages"][-1].text
    else:
        tools: Any = spec(studio, **arguments).to_tool_list()
        agent = FunctionAgent(llm=llm, tools=tools)
        answer = str(await agent.run(text))
    assert len(task_bodies(studio)) == len(saved(tmp_path)) == 1
    assert len(shown_images(studio)) == 1
    assert answer.startswith("The tool answered: The image: http")


@EACH_PROTOCOL
async def test_a_llamaindex_agent_ends_after_a_tool_returned_an_image_block(
    protocol: Protocol, modelstudio_emulator: Emulator
) -> None:
    def look_outside(street: str) -> Any:
        """Look at a street."""
        assert street
        return [ImageBlock(image=PNG_BYTES)]

    def name_color(name: str) -> str:
        """Return a color of a name."""
        return f"The color of {name} is red."

    llm: Any = model("LlamaIndex", modelstudio_emulator, protocol, model=SEEING)
    agent: Any = FunctionAgent(
        llm=llm,
        tools=[look_outside, name_color],
        system_prompt="You must call look_outside, and then always call name_color.",
    )
    answer = str(await agent.run("Look at the street Rosenweg."))
    assert "The color of" in answer
    assert "Returned by" not in answer
    assert len(chat_bodies(modelstudio_emulator)) == 3


@EACH_PROTOCOL
@EACH_FRAMEWORK
async def test_another_model_looks_at_a_saved_picture(
    framework: Framework,
    protocol: Protocol,
    modelstudio_emulator: Emulator,
    tmp_path: Path,
) -> None:
    """The agent's own model reads text only: it gets no image, and no warning."""
    studio = modelstudio_emulator
    if framework == "LangChain":
        tool(studio, directory=tmp_path).invoke({"prompt": PROMPT})
    else:
        spec(studio, directory=tmp_path).generate_image(PROMPT)
    (path,) = saved(tmp_path)
    llm: Any = model(framework, studio, protocol, model=SEEING, local_files=True)
    image = {"type": "image", "url": str(path)}
    if framework == "LangChain":
        answer: Any = await llm.ainvoke([HumanMessage([image])])
    else:
        answer = await llm.achat(
            [ChatMessage(role="user", blocks=[ImageBlock(path=path)])]
        )
    assert answer
    (url,) = shown_images(studio)
    assert url.startswith("data:image/png;base64,")


async def test_a_text_only_model_draws_without_a_warning(
    modelstudio_emulator: Emulator,
) -> None:
    studio = modelstudio_emulator
    agent: Any = create_agent(
        model("LangChain", studio, model="deepseek-v4-pro"), [tool(studio)]
    )
    studio.script(call(PROMPT), Reply(text="Here it is."))
    messages = (await agent.ainvoke({"messages": [HumanMessage("Draw.")]}))["messages"]
    assert "works until" in messages[-2].content
    assert creations(studio) == 1


# --- The tools alone ------------------------------------------------------------------


def test_a_tool_exists_only_where_its_model_is_given(
    modelstudio_emulator: Emulator,
) -> None:
    models = {
        "image_model": ("wan2.6-t2i", "generate_image"),
        "edit_model": ("qwen-image-edit", "edit_image"),
        "video_model": ("wan2.6-t2v", "generate_video"),
    }
    for argument, (name, expected) in models.items():
        given: dict[str, Any] = {"image_model": None, argument: name}
        tools = spec(modelstudio_emulator, **given).to_tool_list()
        assert [tool.metadata.name for tool in tools] == [expected]
    with pytest.raises(ConfigurationError, match="No model is given"):
        spec(modelstudio_emulator, image_model=None)
    with pytest.raises(ConfigurationError, match="edit_image has no model"):
        spec(modelstudio_emulator).edit_image("A", ["https://a.com/b.png"])


def test_the_arguments_of_the_tool_are_those_of_the_model(
    modelstudio_emulator: Emulator,
) -> None:
    assert [*tool(modelstudio_emulator, model="wan2.6-t2i").args] == ["prompt"]
    edits = tool(modelstudio_emulator, model="qwen-image-edit")
    assert [*edits.args] == ["prompt", "images"]
    schema: Any = edits.tool_call_schema
    assert schema.model_json_schema()["required"] == ["prompt", "images"]
    assert "required" not in str(tool(modelstudio_emulator).args["images"])
    edits.model = "wan2.6-t2i"
    assert [*edits.args] == ["prompt"]


async def test_a_film_is_made_from_a_saved_picture(
    modelstudio_emulator: Emulator, tmp_path: Path
) -> None:
    studio = modelstudio_emulator
    tools = spec(studio, video_model="wan2.7-i2v", directory=tmp_path)
    drawn = await tools.agenerate_image(PROMPT)
    name = str(drawn).split()[-1].rstrip(".")
    film = await tools.agenerate_video("It opens.", name)
    assert str(film).startswith("The video: ")
    (media,) = task_bodies(studio)[-1]["input"]["media"]
    assert media["type"] == "first_frame"
    assert media["url"].startswith("data:image/png;base64,")
    assert sorted(path.suffix for path in saved(tmp_path)) == [".mp4", ".png"]


@EACH_FRAMEWORK
async def test_a_model_cannot_have_other_files_of_this_machine_sent(
    framework: Framework, modelstudio_emulator: Emulator, tmp_path: Path
) -> None:
    folder = tmp_path / "pictures"
    folder.mkdir()
    secret = tmp_path / "secret.png"
    secret.write_bytes(PNG_BYTES)
    (folder / "link.png").symlink_to(secret)
    for name in (str(secret), "../secret.png", "link.png", f"file://{secret}", ".", ""):
        if framework == "LangChain":
            draw = tool(modelstudio_emulator, directory=folder)
            content = await draw.ainvoke({"prompt": "A", "images": [name]})
            assert "is not an image that can be used" in content
        else:
            tools = spec(modelstudio_emulator, edit_model=DRAWING, directory=folder)
            with pytest.raises(ConfigurationError, match="can be used"):
                await tools.aedit_image("A", [name])
    assert modelstudio_emulator.requests == []


async def test_a_refused_prompt_is_an_answer_to_the_agent(
    modelstudio_emulator: Emulator,
) -> None:
    studio = modelstudio_emulator
    studio.script_tasks(TaskOutcome(status="FAILED"), TaskOutcome(status="FAILED"))
    arguments = {"prompt": "A"}
    content = await tool(studio).ainvoke(arguments)
    assert "failed: Output data may contain inappropriate content." in content
    with pytest.raises(TaskFailedError) as caught:
        await tool(studio, handle_tool_error=False).ainvoke(arguments)
    assert caught.value.code == "DataInspectionFailed"
    assert creations(studio) == 2


async def test_one_good_image_of_several_is_a_success(
    modelstudio_emulator: Emulator,
) -> None:
    studio = modelstudio_emulator
    studio.script_tasks(TaskOutcome(failed={0}))
    draw = tool(studio, model="wan2.5-t2i-preview", parameters={"n": 2})
    request = {
        "type": "tool_call",
        "id": "1",
        "name": draw.name,
        "args": {"prompt": "A"},
    }
    message: Any = await draw.ainvoke(request)
    assert message.status == "success"
    assert message.content.count("The image: ") == 1
    assert "One image failed" in message.content
    assert [file["error"] is None for file in message.artifact["files"]] == [
        False,
        True,
    ]
    assert task_bodies(studio)[0]["parameters"] == {"n": 2}


@EACH_FRAMEWORK
async def test_an_error_after_the_creation_is_never_retryable(
    framework: Framework, modelstudio_emulator: Emulator
) -> None:
    """A middleware that repeats the tool would pay twice."""
    studio = modelstudio_emulator
    studio.script_tasks(TaskOutcome(seconds=60))

    async def draw(**arguments: Any) -> Any:
        if framework == "LangChain":
            return await tool(studio, **arguments).ainvoke({"prompt": "A"})
        return await spec(studio, **arguments).agenerate_image("A")

    with pytest.raises(TimeoutError) as late:
        await draw(task_timeout=0.05)
    studio.script(Fault.cut())
    with pytest.raises(APIConnectionError) as lost:
        await draw()
    errors: list[Any] = [late.value, lost.value]
    assert [error.is_retryable for error in errors] == [False, False]
    assert "goes on" in str(late.value)
    assert isinstance(late.value, APITimeoutError) == (framework == "LangChain")
    assert creations(studio) == 2


def test_the_tool_has_the_constructor_of_every_class(
    modelstudio_emulator: Emulator,
) -> None:
    draw = tool(modelstudio_emulator, parameters={"size": "1280*720"})
    copied = pickle.loads(pickle.dumps(draw))  # noqa: S301 - our own
    assert copied.resolved == draw.resolved
    assert modelstudio_emulator.api_key not in repr(draw)
    bad: list[tuple[dict[str, Any], str]] = [
        ({"model": None}, "model is missing"),
        ({"model": "wan2.6-t2v"}, "does not make images"),
        ({"model": "qwen3.7-max"}, "is a chat model"),
        ({"model": "of-tomorrow"}, "pass path="),
        ({"directory": 3}, "directory must be a path"),
        ({"parameters": "n"}, "parameters must be a mapping"),
        ({"task_timeout": -1}, "task_timeout must be a number"),
        ({"poll_interval": "soon"}, "poll_interval must be a number"),
        ({"direktory": "x"}, "Did you mean 'directory'"),
    ]
    for arguments, message in bad:
        with pytest.raises(ConfigurationError, match=message):
            tool(modelstudio_emulator, **arguments)
    with pytest.raises(ConfigurationError, match="does not make video"):
        spec(modelstudio_emulator, video_model="wan2.6-t2i")
    with pytest.raises(ConfigurationError, match="by tool"):
        spec(modelstudio_emulator, parameters={"n": 1})
    with pytest.raises(ConfigurationError, match="Did you mean 'edit_model'"):
        spec(modelstudio_emulator, edit_modle="x")


def test_the_tools_of_llamaindex_are_bounded(modelstudio_emulator: Emulator) -> None:
    tools = spec(modelstudio_emulator)
    set_policy(Policy(models=["wan*"]))
    with pytest.raises(PolicyError):
        tools.generate_image("A")
    with pytest.raises(PolicyError):
        spec(modelstudio_emulator)
    set_policy(Policy(regions=["frankfurt"]))
    with pytest.raises(PolicyError):
        spec(modelstudio_emulator)
    assert modelstudio_emulator.requests == []


# --- What is no list of images --------------------------------------------------------


@pytest.mark.parametrize("images", ["https://a.example/b.png", None, 5, [5], [None]])
async def test_images_that_are_no_list_of_texts_are_refused(
    images: Any, modelstudio_emulator: Emulator
) -> None:
    spec = ModelStudioToolSpec(
        edit_model="qwen-image-edit",
        base_url=modelstudio_emulator.base_url,
        api_key=modelstudio_emulator.api_key,
    )
    with pytest.raises(ConfigurationError, match="images must"):
        spec.edit_image("A", images)
    with pytest.raises(ConfigurationError, match="images must"):
        await spec.aedit_image("A", images)
    assert modelstudio_emulator.requests == []


def test_the_repr_has_the_models_and_the_endpoint_and_no_key() -> None:
    spec = ModelStudioToolSpec(
        image_model="wan2.6-t2i",
        video_model="wan2.6-t2v",
        region="singapore",
        api_key="sk-not-shown",
    )
    assert repr(spec) == (
        "ModelStudioToolSpec(image_model='wan2.6-t2i', video_model='wan2.6-t2v',"
        " region='ap-southeast-1', mode='international',"
        " host='dashscope-intl.aliyuncs.com')"
    )


async def test_a_folder_that_cannot_be_made_is_noticed_before_an_image_is_paid_for(
    modelstudio_emulator: Emulator, tmp_path: Path
) -> None:
    taken = tmp_path / "taken"
    taken.write_text("", encoding="utf-8")
    images = tool(modelstudio_emulator, directory=taken)
    with pytest.raises(ConfigurationError, match="cannot be made"):
        images.invoke({"prompt": PROMPT})
    with pytest.raises(ConfigurationError, match="cannot be made"):
        await images.ainvoke({"prompt": PROMPT})
    drawing = spec(modelstudio_emulator, directory=taken)
    with pytest.raises(ConfigurationError, match="cannot be made"):
        drawing.generate_image(PROMPT)
    assert modelstudio_emulator.requests == []


DRAW_STYLES = [(framework, style) for framework in FRAMEWORKS for style in STYLES]
EACH_DRAW_STYLE = pytest.mark.parametrize(("framework", "style"), DRAW_STYLES)


async def draw_at(
    base_url: str, framework: Framework, style: Style, **arguments: Any
) -> Any:
    """Call the tool of a framework."""
    values: dict[str, Any] = {
        "base_url": base_url,
        "api_key": KEY,
        "max_retries": 0,
        "poll_interval": 0.01,
        **arguments,
    }
    if framework == "LangChain":
        draw = ModelStudioImageGeneration(model=DRAWING, **values)
        if style == "sync":
            return draw.invoke({"prompt": PROMPT})
        return await draw.ainvoke({"prompt": PROMPT})
    tools = ModelStudioToolSpec(image_model=DRAWING, **values)
    if style == "sync":
        return tools.generate_image(PROMPT)
    return await tools.agenerate_image(PROMPT)


def task_body(status: str, *urls: str) -> bytes:
    results = [{"url": url} for url in urls]
    output = {"task_id": "t-1", "task_status": status, "results": results}
    return json.dumps({"output": output}).encode()


@EACH_DRAW_STYLE
@pytest.mark.parametrize("fails_at", ["service", "disk"])
async def test_files_that_cannot_be_saved_are_not_lost(
    framework: Framework,
    style: Style,
    fails_at: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """They are paid for: the error has the task and the address, and is final."""

    def full(_: Path) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    if fails_at == "disk":
        monkeypatch.setattr(fetch, "_open_part", full)
    status = 500 if fails_at == "service" else 200
    with serve_http() as server:
        url = f"{server.base_url}/a.png?Expires=9999999999&Signature=abc"
        done = Scripted(body=task_body("SUCCEEDED", url))
        server.responses = [done, Scripted(status=status, body=b"{}")]
        expected = InternalServerError if status == 500 else ConfigurationError
        with pytest.raises(expected) as caught:
            await draw_at(server.base_url, framework, style, directory=tmp_path)
    assert not caught.value.is_retryable
    assert "Task t-1 is done" in str(caught.value)
    assert f"The file: {url} (works until " in str(caught.value)
    assert [request.method for request in server.received] == ["POST", "GET"]
    assert saved(tmp_path) == []


@EACH_DRAW_STYLE
async def test_a_task_whose_queries_fail_is_named_and_not_created_again(
    framework: Framework, style: Style, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(waiting, "_MAX_FAILING", 0.05)
    created = Scripted(body=task_body("PENDING"))
    with (
        serve_http(created, Scripted(status=500)) as server,
        pytest.raises(InternalServerError, match="task t-1, which") as caught,
    ):
        await draw_at(server.base_url, framework, style)
    assert not caught.value.is_retryable
    assert [r.method for r in server.received].count("POST") == 1


@pytest.mark.skipif(not Path("/proc").is_dir(), reason="there is no such folder")
@EACH_DRAW_STYLE
async def test_a_folder_that_cannot_be_written_is_noticed_before_an_image_is_paid_for(
    framework: Framework, style: Style
) -> None:
    """Not even root can write to /proc."""
    with (
        serve_http() as server,
        pytest.raises(ConfigurationError, match="files cannot be written to it"),
    ):
        await draw_at(server.base_url, framework, style, directory="/proc")
    assert server.received == []


@pytest.mark.parametrize("is_async", [False, True])
async def test_an_image_whose_address_llamaindex_refuses_is_named_in_the_text(
    is_async: bool,
) -> None:
    message = {"role": "assistant", "content": [{"image": "http://["}]}
    choices = [{"finish_reason": "stop", "message": message}]
    task = {"task_id": "0b1c-2d3e", "task_status": "SUCCEEDED", "choices": choices}
    body = {"request_id": "r-1", "output": task}
    with serve_http(Scripted(body=json.dumps(body).encode())) as server:
        tools = ModelStudioToolSpec(
            image_model=DRAWING,
            base_url=server.base_url,
            api_key=KEY,
            show_images=True,
        )
        shown: Any = (
            await tools.agenerate_image(PROMPT)
            if is_async
            else tools.generate_image(PROMPT)
        )
    (text,) = shown
    assert "http://[" in text.text
