"""How Muon moves one weight of a kernel: each line is the entry of a matrix, all of which is made.

    v' = μ·v + (1 − μ)·g                  matrices: a row for each unit
    u  = (1 − μ)·g + μ·v'   or   v'
    x₀ = u / ‖u‖
    xₖ = a·x + b·y + c·z                  y = x·xᵀ·x,  z = x·xᵀ·y,  of x = xₖ₋₁; five times
    d  = 0.2·√max(rows, columns) · x₅     with `unit_kernels` x₅ itself
    w₁ = w·√rows / ‖w‖                    with `unit_kernels`; else w
    w' = w₁ − η·λ·w₁ − η·d

An entry of y and z depends on every number of x. The matrices are computed in float64 by the
reference in NumPy (`explain.reference`), from the framework's momentum and gradient; y and z of an
entry from its row and its column alone, without the products of matrices that made x. Beside them
stands what the code that trains makes of the same numbers in float32. Where a kernel's gradient
has few directions, what float32 rounds away in the others grows up to a⁵ = 485 times (`rounding`).

Sources: as in `train.optimizers`.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float32, Float64

from seethrough.explain.reference import newton_schulz
from seethrough.learning.sheet import Sheet, few
from seethrough.model.mode import one_thread
from seethrough.train import optimizers
from seethrough.train.optimizers import MUON_EPSILON, MUON_SCALE, NEWTON_SCHULZ
from seethrough.train.way import Way

Kernel = Float32[np.ndarray, "units ..."]
_SMALL = str.maketrans("0123456789", "₀₁₂₃₄₅₆₇₈₉")


@dataclass(frozen=True, slots=True, kw_only=True)
class Mix:
    """An entry of x and of the two products with which the next x is mixed."""

    x: float
    cubed: float  # y
    fifth: float  # z


@dataclass(frozen=True, slots=True, kw_only=True)
class MuonEntry:
    """What belongs to one weight, and what it takes of the whole kernel."""

    rows: int
    columns: int
    is_unit: bool
    momentum: float  # before the step
    length: float  # of u, as it is divided by
    mixes: Sequence[Mix]  # of x₀ to x₄
    last: float  # of x₅
    weight_length: float  # of all weights of the kernel, as it is divided by
    framework: Mapping[str, float]  # what the training's own code makes of it, by line

    @property
    def scale(self) -> float:
        """From x₅ to d."""
        return optimizers.muon_scale(self.rows, self.columns, is_unit=self.is_unit)

    @property
    def rounding(self) -> float:
        """By how much the framework's d may be off: some last digits of ‖x₀‖ = 1, five steps on."""
        return self.scale * 4 * 2**-24 * NEWTON_SCHULZ[0] ** len(self.mixes)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False)
class MuonKernel:
    """A whole kernel in one step of Muon, as a matrix."""

    shape: tuple[int, ...]
    is_unit: bool
    momentum: Float64[np.ndarray, "rows columns"]  # before the step
    length: float
    made: Sequence[Float64[np.ndarray, "rows columns"]]  # x₀ to x₅
    weight_length: float
    framework: Mapping[str, Float32[np.ndarray, "rows columns"]]
    framework_length: float

    def entry(self, index: Sequence[int]) -> MuonEntry:
        """That of one weight, by its place in the kernel."""
        rows, columns = self.momentum.shape
        row, column = divmod(int(np.ravel_multi_index(tuple(index), self.shape)), columns)
        theirs = {name: float(matrix[row, column]) for name, matrix in self.framework.items()}
        return MuonEntry(
            rows=rows,
            columns=columns,
            is_unit=self.is_unit,
            momentum=float(self.momentum[row, column]),
            length=self.length,
            mixes=[_mix(x, row, column) for x in self.made[:-1]],
            last=float(self.made[-1][row, column]),
            weight_length=self.weight_length,
            framework=theirs | {"length": self.framework_length},
        )


def muon_kernel(
    way: Way, weights: Kernel, gradient: Kernel, momentum: Kernel, new_momentum: Kernel
) -> MuonKernel:
    """Of the kernel's numbers before the step, and its momentum after it."""
    share = way.momentum
    g, v, w = (
        each.reshape(len(each), -1).astype(np.float64) for each in (gradient, momentum, weights)
    )
    velocity = share * v + (1 - share) * g
    u = (1 - share) * g + share * velocity if way.nesterov else velocity
    framework, length = _trained(way, weights, gradient, new_momentum)
    with np.errstate(all="ignore"):  # of what is no number, nothing else comes
        made = newton_schulz(u)
    return MuonKernel(
        shape=weights.shape,
        is_unit=way.is_unit,
        momentum=v,
        length=max(float(np.linalg.norm(u)), MUON_EPSILON),
        made=made,
        weight_length=max(float(np.linalg.norm(w)), MUON_EPSILON),
        framework=framework,
        framework_length=length,
    )


def _trained(
    way: Way, weights: Kernel, gradient: Kernel, new_momentum: Kernel
) -> tuple[dict[str, Float32[np.ndarray, "rows columns"]], float]:
    """The same by the code that trains, from the momentum that it left."""
    with one_thread(), torch.no_grad():
        w, g, v = (torch.tensor(each) for each in (weights, gradient, new_momentum))
        u = optimizers.as_matrix(optimizers.ahead(g, v, way))
        made = {"momentum": optimizers.as_matrix(v), "look ahead": u}
        for number, x in enumerate(optimizers.newton_schulz(u)):
            made[_made_by(number)] = x
        made["scale"] = x * optimizers.muon_scale(*u.shape, is_unit=way.is_unit)
        made["unit length"] = optimizers.as_matrix(w * optimizers.to_unit(w))
        length = float(u.norm().clamp(min=MUON_EPSILON))
    return {name: matrix.numpy() for name, matrix in made.items()}, length


def _mix(x: Float64[np.ndarray, "rows columns"], row: int, column: int) -> Mix:
    of_row, of_column = x @ x[row], x.T @ x[:, column]  # a row of x·xᵀ, a column of xᵀ·x
    return Mix(
        x=float(x[row, column]),
        cubed=float(of_row @ x[:, column]),
        fifth=float((of_row @ x) @ of_column),
    )


def write_muon(sheet: Sheet, way: Way, entry: MuonEntry) -> None:
    """The lines of one weight, to its new value."""
    size = f"{entry.rows} × {entry.columns}"
    share, start, ahead = way.momentum, sheet.gradient, "v'"
    rest = round(1 - share, 12)  # 0.1, where 1 - 0.9 is 0.09999999999999998
    u = sheet.mixed("momentum", "v' = μ·v + (1 - μ)·g", [(share, entry.momentum), (rest, start)])
    if way.nesterov:
        ahead = "u"
        u = sheet.mixed("look ahead", "u = (1 - μ)·g + μ·v'", [(rest, start), (share, u)])
    sheet.line(
        "length",
        f"‖{ahead}‖ = √(sum of {ahead}²)",
        f"√({few(entry.length**2)}) ≈ {few(entry.length)}",
        entry.length,
        f"over the whole kernel, as a matrix of {size}: units × what each reads",
    )
    sheet.line(
        _made_by(0),
        f"x₀ = {ahead} / ‖{ahead}‖",
        f"{few(u)} / {few(entry.length)} ≈ {few(entry.mixes[0].x)}",
        u / entry.length,
    )
    for number, mix in enumerate(entry.mixes, start=1):
        _newton_schulz(sheet, number, mix, size)
    if not way.is_unit:
        _scale(sheet, entry)
    _step(sheet, way, entry)


def _scale(sheet: Sheet, entry: MuonEntry) -> None:
    factor, longer = entry.scale, max(entry.rows, entry.columns)
    sheet.line(
        "scale",
        "d = 0.2·√m·x₅",
        f"{MUON_SCALE:g} × √{longer} ≈ {few(factor)}; "
        f"{few(factor)} × {few(entry.last)} ≈ {few(factor * entry.last)}",
        factor * entry.last,
        "m is the matrix’s longer side: the kernel’s step is about as long as one of AdamW’s",
    )


def _newton_schulz(sheet: Sheet, number: int, mix: Mix, size: str) -> None:
    old, new = (f"x{number - 1}".translate(_SMALL), f"x{number}".translate(_SMALL))
    a, b, c = NEWTON_SCHULZ
    whole = (
        f"y = x·xᵀ·x and z = x·xᵀ·y, of the x before, are products of the whole {size} matrix: "
        "each number of it takes part in this one"
    )
    sheet.mixed(
        _made_by(number),
        f"{new} = a·{old} + b·y + c·z",
        [(a, mix.x), (b, mix.cubed), (c, mix.fifth)],
        whole if number == 1 else "",
    )


def _step(sheet: Sheet, way: Way, entry: MuonEntry) -> None:
    name, direction = "w", "x₅" if way.is_unit else "d"
    if way.is_unit:
        factor = math.sqrt(entry.rows) / entry.weight_length
        weight = sheet.weight * factor
        sheet.line(
            "unit length",
            "w₁ = w·√rows / ‖w‖",
            f"√{entry.rows} / {sheet.digits_of(entry.weight_length)} ≈ {sheet.digits_of(factor)}; "
            f"{sheet.digits_of(factor)} × {sheet.weight_digits} ≈ {sheet.digits_of(weight)}",
            weight,
            "the rows of the whole kernel have a length of 1 on average",
        )
        sheet.rescaled(weight)
        name = "w₁"
    if way.decay:
        after = "w₂" if way.is_unit else "w₁"
        sheet.down(f"{after} = {name} - η·λ·{name}", way.decay * sheet.weight, "weight decay")
        name = after
    sheet.down(f"w' = {name} - η·{direction}", entry.scale * entry.last)


def _made_by(number: int) -> str:
    return f"Newton–Schulz {number}" if number else "share of length"
