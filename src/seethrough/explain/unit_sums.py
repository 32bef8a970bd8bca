"""Correlations of many units with many others, added up photo by photo.

    r[i, j] = Σ (x_i − x̄_i)(y_j − ȳ_j) / √(Σ (x_i − x̄_i)² · Σ (y_j − ȳ_j)²)

over all cells of all photos (Pearson's). Where the maps of both networks differ in size, over the
means of the maps, one number a photo. In float64; the first photo's means are subtracted before
anything is squared, so that units far from zero lose no digits. NaN where a unit never varies.
"""

from dataclasses import dataclass, field

import numpy as np
from jaxtyping import Float32, Float64, Int64

# Less spread than this share of the largest of its layer is rounding, not variation.
_CONSTANT = 1e-12


@dataclass(slots=True, kw_only=True, eq=False)
class UnitSums:
    """Sums over the photos so far, of two layers that are named."""

    first: str
    second: str
    count: int = 0
    shift: tuple[Float64[np.ndarray, " u"], Float64[np.ndarray, " v"]] | None = None
    sums: list[Float64[np.ndarray, " _"]] = field(default_factory=list)
    squares: list[Float64[np.ndarray, " _"]] = field(default_factory=list)
    products: Float64[np.ndarray, "u v"] | None = None

    def add(self, map_: Float32[np.ndarray, "..."], other: Float32[np.ndarray, "..."]) -> None:
        """One photo's maps u h w and v i j, or its vectors u and v."""
        x, y = (array.reshape(len(array), -1) for array in (map_, other))
        if map_.shape[1:] != other.shape[1:]:
            x, y = (rows.mean(axis=1, keepdims=True, dtype=np.float64) for rows in (x, y))
        if self.shift is None or self.products is None:
            self.shift = x.mean(axis=1, dtype=np.float64), y.mean(axis=1, dtype=np.float64)
            self.sums = [np.zeros(len(x)), np.zeros(len(y))]
            self.squares = [np.zeros(len(x)), np.zeros(len(y))]
            self.products = np.zeros((len(x), len(y)))
        x, y = x - self.shift[0][:, None], y - self.shift[1][:, None]
        self.count += x.shape[1]
        for place, values in enumerate((x, y)):
            self.sums[place] += values.sum(axis=1)
            self.squares[place] += np.einsum("uc,uc->u", values, values)
        self.products += x @ y.T

    def correlation(self) -> Float64[np.ndarray, "u v"]:
        """Of every unit with every other."""
        assert self.products is not None
        spreads = [
            np.maximum(0.0, squares - sums**2 / self.count)
            for squares, sums in zip(self.squares, self.sums, strict=True)
        ]
        together = self.products - np.outer(*self.sums) / self.count
        x, y = (_varying(spread) for spread in spreads)
        return np.clip(together / np.sqrt(np.outer(x, y)), -1.0, 1.0)


def _varying(spread: Float64[np.ndarray, " u"]) -> Float64[np.ndarray, " u"]:
    """NaN for what does not vary."""
    floor = _CONSTANT * spread.max(initial=0.0)
    return np.where(spread > floor, spread, np.nan)


def assigned(table: Float64[np.ndarray, "u v"]) -> Int64[np.ndarray, " u"]:
    """One to one, so that the sum of the correlations is largest; −1 for those left over."""
    from scipy.optimize import linear_sum_assignment  # takes 0.3 s, which few need

    units = np.full(len(table), -1, dtype=np.int64)
    rows, columns = linear_sum_assignment(np.nan_to_num(table), maximize=True)
    units[rows] = columns
    return units
