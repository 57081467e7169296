"""An MCP server with one tool, on its standard input and output."""

from mcp.server.fastmcp import FastMCP

SERVER = FastMCP("heights", log_level="WARNING")


@SERVER.tool()
def height(building: str) -> str:
    """Return the height of a building in metres."""
    heights = {"Brooklyn Bridge": 84, "Eiffel Tower": 330}
    return f"{building}: {heights.get(building, 'unknown')} metres."


if __name__ == "__main__":
    SERVER.run("stdio")
