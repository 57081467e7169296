"""The id of Model Studio in LangChain's metadata, traces and block translators."""

from typing import Final

__all__ = ["PROVIDER"]

PROVIDER: Final = "modelstudio"
