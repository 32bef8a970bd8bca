"""Everything else: a box with shapes and values, and no arithmetic."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from jaxtyping import Float32

from seethrough.errors import LayerError
from seethrough.explain.operations.arithmetic import Arithmetic, Cell, Map, Products, Value
from seethrough.explain.operations.region import Region, Shape, whole


@dataclass(frozen=True, slots=True, kw_only=True)
class Unknown:
    """`text` is the name of the function or module."""

    text: str
    kind: ClassVar[str] = "unknown"
    formula: ClassVar[str] = "not known: only its values are shown"
    options: ClassVar[Mapping[str, Value]] = {}
    parameters: ClassVar[Mapping[str, Float32[np.ndarray, "..."]]] = {}
    spans: ClassVar[None] = None

    def arithmetic(self, inputs: Sequence[Map], cell: Cell) -> Arithmetic:
        """There is none: never a wrong number."""
        raise self._has_none()

    def input_gradient(
        self, inputs: Sequence[Map], upstream: Map, which: int, cell: Cell
    ) -> Products:
        """There is none either; the framework's gradient map is shown without arithmetic."""
        raise self._has_none()

    def below(self, region: Region, shapes: Sequence[Shape]) -> list[Region]:
        """Anything, as far as is known."""
        return [whole(shape) for shape in shapes]

    def _has_none(self) -> LayerError:
        return LayerError(
            f"{self.text} has no equation.",
            why="Seethrough does not know its arithmetic; its values are the framework's own.",
            fix="ask for a layer before or after it, or write it with the layers of torch.nn.",
        )
