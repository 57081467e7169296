"""Vectors of texts: sparse, and dense and sparse together."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

__all__ = ["HybridVector", "SparseVector", "Vector"]


@dataclass(frozen=True, slots=True)
class SparseVector:
    """The values of a vector that are not 0.

    Attributes:
        indices: Their positions, unique and ascending.
        values: The value at each position.

    Example:
        >>> SparseVector([2, 7], [0.5, 0.25]).to_dict()
        {2: 0.5, 7: 0.25}
    """

    indices: Sequence[int]
    values: Sequence[float]

    @classmethod
    def from_weights(cls, weights: Mapping[int, float]) -> "SparseVector":
        """Create a vector from the values by position.

        Args:
            weights: The values by their index, in any order.

        Example:
            >>> SparseVector.from_weights({7: 0.5, 2: 0.25})
            SparseVector(indices=[2, 7], values=[0.25, 0.5])
        """
        indices = sorted(weights)
        return cls(indices, [weights[index] for index in indices])

    def to_dict(self) -> dict[int, float]:
        """Return the values by position, as Milvus and LlamaIndex represent them."""
        return dict(zip(self.indices, self.values, strict=True))


@dataclass(frozen=True, slots=True)
class HybridVector:
    """The dense and the sparse vector of a text.

    Attributes:
        dense: The dense vector.
        sparse: The sparse vector.
    """

    dense: list[float]
    sparse: SparseVector


Vector = list[float] | SparseVector | HybridVector
