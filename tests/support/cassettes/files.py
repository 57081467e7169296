"""The files of the cassettes: their paths, their source and their YAML."""

import re
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import yaml  # type: ignore[import-untyped]
from vcr.persisters.filesystem import (  # type: ignore[import-untyped]
    CassetteNotFoundError,
)
from vcr.serialize import (  # type: ignore[import-untyped]
    deserialize,
    serialize,
)
from vcr.serializers import yamlserializer  # type: ignore[import-untyped]

from modelstudio_core.endpoints import Protocol
from tests.support.cassettes.scenarios import SCENARIOS

__all__ = [
    "FOLDER",
    "Files",
    "ReadableYaml",
    "parameters",
    "path_of",
    "source_of",
]

FOLDER: Final = Path(__file__).parents[3] / "cassettes"
_SOURCE: Final = re.compile(r"# Recorded from: (the emulator|the live service), .+\n")
_HEADER: Final = """\
# Recorded from: {}
# Keys, cookies and the ids of accounts are scrubbed. To record it again: make record
"""


def parameters() -> list[tuple[Protocol, str]]:
    """Return the protocol and the scenario's name of every cassette."""
    return [
        (protocol, name)
        for name, scenario in SCENARIOS.items()
        for protocol in scenario.protocols
    ]


def path_of(protocol: str, name: str) -> Path:
    """Return the path of a cassette."""
    return FOLDER / protocol / f"{name}.yaml"


def source_of(path: Path) -> str:
    """Return the source that a cassette names: the emulator or the live service.

    Raises:
        ValueError: The file names no source.
    """
    with path.open(encoding="utf-8") as file:
        match = _SOURCE.fullmatch(file.readline())
    if match is None:
        raise ValueError(f"{path.name} does not name what it was recorded from.")
    return match.group(1)


class _Dumper(yaml.SafeDumper):  # type: ignore[misc]
    """Writes a text of several lines line by line."""


def _represent(dumper: Any, text: str) -> Any:
    style = "|" if "\n" in text else None
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style=style)


_Dumper.add_representer(str, _represent)


class ReadableYaml:
    """The YAML of cassettes, written to be readable."""

    @staticmethod
    def serialize(cassette: Any) -> str:
        options: Any = {"allow_unicode": True, "width": sys.maxsize}
        return str(yaml.dump(cassette, Dumper=_Dumper, **options))

    @staticmethod
    def deserialize(text: str) -> Any:
        return yamlserializer.deserialize(text)


@dataclass(frozen=True)
class Files:
    """Reads cassettes in UTF-8 and writes them with their source.

    Attributes:
        source: What new cassettes name as their source; None: only read.
        hidden: Texts that must not be written, and their replacements.
    """

    source: str | None = None
    hidden: Mapping[str, str] = field(default_factory=dict[str, str])

    def load_cassette(self, path: str, serializer: Any) -> Any:
        if self.source is not None:
            raise CassetteNotFoundError(path)  # record it again
        return deserialize(Path(path).read_text(encoding="utf-8"), serializer)

    def save_cassette(self, path: str, cassette: Any, serializer: Any) -> None:
        text = _HEADER.format(self.source) + serialize(cassette, serializer)
        for secret, replacement in self.hidden.items():
            text = text.replace(secret, replacement)
        file = Path(path)
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8", newline="\n")
