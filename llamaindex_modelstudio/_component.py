"""What all classes of this package share as components of LlamaIndex."""

from typing import Any

from llama_index.core.schema import BaseComponent
from typing_extensions import override

from modelstudio_core.arguments import ServiceArguments

__all__ = ["ScopedComponent"]


class ScopedComponent(ServiceArguments, BaseComponent):
    """A component whose dumps and pickles hold the scope of the environment."""

    @override
    def to_dict(self, **kwargs: Any) -> dict[str, Any]:
        """Return the arguments, with the scope that the environment decided."""
        return {**super().to_dict(**kwargs), **self.scope_arguments()}

    @override
    def __getstate__(self) -> dict[str, Any]:
        """Pickle the scope too: the environment of a worker may be different."""
        state = super().__getstate__()
        state["__dict__"] = {**state["__dict__"], **self.scope_arguments()}
        return state
