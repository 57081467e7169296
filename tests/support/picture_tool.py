"""An MCP server on standard input and output whose tool returns a text and an image."""

import base64
from importlib import import_module
from typing import Any

__all__ = ["PICTURE"]

PICTURE = base64.b64encode(b"\x89PNG\r\n\x1a\n" + bytes(40)).decode()


def serve() -> None:
    """Serve until the input ends."""
    # By name: the package is needed by the process of the server only.
    types: Any = import_module("mcp.types")
    server: Any = import_module("mcp.server.fastmcp").FastMCP("pictures")

    def draw(subject: str) -> list[Any]:
        """Draw a picture of a subject."""
        return [
            types.TextContent(type="text", text=f"A picture of {subject}."),
            types.ImageContent(type="image", data=PICTURE, mimeType="image/png"),
        ]

    server.tool()(draw)
    server.run("stdio")


if __name__ == "__main__":
    serve()
