"""The regions, workspaces and hosts that the scenarios are recorded at."""

from dataclasses import dataclass
from typing import Any, Final

__all__ = ["SINGAPORE", "WORKSPACE", "Place"]


@dataclass(frozen=True, kw_only=True)
class Place:
    """A host of the service and the arguments that lead to it.

    Attributes:
        host: The host that the documentation names.
        region: The argument ``region``.
        mode: The argument ``mode``.
        workspace: The argument ``workspace``.
        in_header: Whether the workspace is sent in a header instead of the host.
    """

    host: str
    region: str | None = None
    mode: str | None = None
    workspace: str | None = None
    in_header: bool = False

    @property
    def arguments(self) -> dict[str, Any]:
        """The arguments of a constructor."""
        arguments = {
            "region": self.region,
            "mode": self.mode,
            "workspace": self.workspace,
        }
        return {name: value for name, value in arguments.items() if value is not None}


WORKSPACE: Final = "ws-123"
SINGAPORE: Final = Place(host="dashscope-intl.aliyuncs.com", region="singapore")
SINGAPORE_WORKSPACE: Final = Place(
    host="ws-123.ap-southeast-1.maas.aliyuncs.com",
    region="singapore",
    workspace=WORKSPACE,
)
VIRGINIA: Final = Place(
    host="dashscope-us.aliyuncs.com",
    region="virginia",
    workspace=WORKSPACE,
    in_header=True,
)
VIRGINIA_US: Final = Place(host="dashscope-us.aliyuncs.com", mode="us")
BEIJING: Final = Place(host="dashscope.aliyuncs.com", region="beijing")
BEIJING_WORKSPACE: Final = Place(
    host="ws-123.cn-beijing.maas.aliyuncs.com", region="beijing", workspace=WORKSPACE
)
HONG_KONG: Final = Place(host="cn-hongkong.dashscope.aliyuncs.com", region="hong-kong")
FRANKFURT: Final = Place(
    host="ws-123.eu-central-1.maas.aliyuncs.com",
    region="frankfurt",
    workspace=WORKSPACE,
)
TOKYO: Final = Place(
    host="ws-123.ap-northeast-1.maas.aliyuncs.com", region="tokyo", workspace=WORKSPACE
)
