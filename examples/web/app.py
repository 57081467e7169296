"""A web page that streams reasoning, answer and citations, and that can be stopped.

    python examples/web/app.py
    python examples/web/app.py --port 8080

The stop button closes the browser's connection; the stream to the service is then
closed too, and nothing more is generated. Without ``DASHSCOPE_API_KEY`` the answers
come from the local emulator, which is not a model. It needs the package ``fastapi``.
"""

import argparse
import json
import os
from collections.abc import AsyncIterator
from contextlib import aclosing, nullcontext
from pathlib import Path
from typing import Any, Final

import uvicorn
from fastapi import FastAPI
from fastapi.responses import FileResponse, StreamingResponse
from langchain_core.messages import AIMessageChunk
from pydantic import BaseModel, Field

from langchain_modelstudio import ChatModelStudio
from modelstudio_core.emulator import Emulator
from modelstudio_core.errors import ModelStudioError

PAGE: Final = Path(__file__).with_name("page.html")
Event = dict[str, Any]


class Question(BaseModel):
    """What the browser sends."""

    question: str = Field(min_length=1, max_length=4000)


def make_model(**service: Any) -> ChatModelStudio:
    """Return a model that thinks, searches the web, and names its sources.

    Args:
        service: More arguments, such as ``base_url``.
    """
    return ChatModelStudio(
        model="qwen3.7-plus",
        protocol="dashscope",
        enable_thinking=True,
        enable_search=True,
        search_options={"enable_source": True},
        total_timeout=120,
        **service,
    )


def make_app(model: ChatModelStudio) -> FastAPI:
    """Return the application.

    Args:
        model: The model that answers all users: it may be shared.
    """
    app = FastAPI()

    @app.get("/")
    async def page() -> FileResponse:
        return FileResponse(PAGE)

    @app.post("/ask")
    async def ask(question: Question) -> StreamingResponse:
        # Where the browser closes the connection, the server cancels this stream.
        lines = (json.dumps(event) + "\n" async for event in answer(model, question))
        return StreamingResponse(lines, media_type="application/x-ndjson")

    # The decorators above have registered them.
    del page, ask
    return app


async def answer(model: ChatModelStudio, question: Question) -> AsyncIterator[Event]:
    """Yield an event for each piece of an answer, and one for its end or its error."""
    stream = model.astream(question.question)
    try:
        # Leaving the block closes the request to the service.
        async with aclosing(stream):  # type: ignore[type-var]
            async for chunk in stream:
                for event in events_of(chunk):
                    yield event
    except ModelStudioError as error:
        yield {"kind": "error", "text": str(error)}
    else:
        yield {"kind": "end"}


def events_of(chunk: AIMessageChunk) -> list[Event]:
    """Return the reasoning, the text, the sources and the tokens of a chunk."""
    events: list[Event] = []
    if reasoning := chunk.additional_kwargs.get("reasoning_content"):
        events.append({"kind": "reasoning", "text": reasoning})
    if chunk.text:
        events.append({"kind": "answer", "text": chunk.text})
    for source in chunk.additional_kwargs.get("search_results", ()):
        title, url = source.get("title", ""), source.get("url", "")
        events.append({"kind": "citation", "title": title, "url": url})
    if usage := chunk.usage_metadata:
        events.append({"kind": "usage", "tokens": usage["output_tokens"]})
    return events


def main() -> None:
    """Serve the page."""
    parser = argparse.ArgumentParser(description="Serve the page on this machine.")
    parser.add_argument("--port", type=int, default=8000)
    port = parser.parse_args().port
    with_key = bool(os.environ.get("DASHSCOPE_API_KEY"))
    with nullcontext() if with_key else Emulator(chunk_delay=0.05) as studio:
        service = (
            {"base_url": studio.base_url, "api_key": studio.api_key} if studio else {}
        )
        uvicorn.run(make_app(make_model(**service)), host="127.0.0.1", port=port)


if __name__ == "__main__":
    main()
