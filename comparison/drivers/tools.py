"""The tools and the schema that scenarios use in both frameworks."""

from collections.abc import Callable, Mapping
from typing import Final

from pydantic import BaseModel, Field

__all__ = ["TOOLS", "Tower"]


def weather(city: str) -> str:
    """Return the weather of a city."""
    return f"Rain in {city}."


def note(text: str) -> str:
    """Write a note."""
    return f"Noted: {text}"


class Tower(BaseModel):
    """A tower."""

    name: str = Field(description="The name")
    metres: int = Field(description="The height in metres")


TOOLS: Final[Mapping[str, Callable[[str], str]]] = {"weather": weather, "note": note}
