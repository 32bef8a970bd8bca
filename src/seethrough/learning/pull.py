"""How much each photo of a batch pulls at one weight: digits that add up to its gradient.

    gradient = ∂/∂w  mean of the losses = Σ over the photos of pull[n]

Pulls are those of `meeting`, each a photo's share of the mean. The largest few stand alone, the
others as one sum; the shown digits add up (`explain.rounding`), and `difference` is their sum
minus the gradient that the framework computed in float32.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float64

from seethrough.explain.rounding import adds_up, decimals_for, show_adding_up
from seethrough.learning.batch import Batch

SHOWN = 6  # photos
_MORE = 3  # digits that a small sum of large pulls has more


@dataclass(frozen=True, slots=True)
class Pull:
    """What one photo adds to the gradient."""

    place: int  # in the batch, from 0
    photo: int  # in the data set
    mixed_with: int | None  # the photo of the data set that is mixed into it
    value: float
    shown: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Pulls:
    """One gradient, divided among the photos of its batch."""

    name: str
    index: tuple[int, ...]
    photos: int
    largest: tuple[Pull, ...]  # by size, largest first
    others: int
    others_sum: float
    shown_others: str | None  # None: there are no others
    gradient: float
    shown_gradient: str
    framework: float
    difference: float
    decimals: int
    adds_up: bool
    values: tuple[float, ...]  # of all photos, in the order of the batch

    def __str__(self) -> str:
        place = ", ".join(map(str, self.index))
        width = max(len(self.shown_gradient), *(len(each.shown) for each in self.largest))
        lines = [f"photo {each.photo:>6}  {each.shown:>{width}}" for each in self.largest]
        if self.shown_others is not None:
            lines.append(f"{self.others:>6} others  {self.shown_others:>{width}}")
        head = f"{self.name} {place}: mean over {self.photos} photos"
        return "\n".join([head, *lines, f"{'gradient':>12}  {self.shown_gradient:>{width}}"])


def divided(
    batch: Batch,
    name: str,
    index: Sequence[int],
    values: Float64[np.ndarray, " n"],
    framework: float,
) -> Pulls:
    """The largest pulls and the rest, with digits that add up."""
    order = np.argsort(-np.abs(values), kind="stable")
    first = [int(place) for place in order[:SHOWN]]
    rest = [float(values[place]) for place in np.sort(order[SHOWN:])]
    groups = [[float(values[place])] for place in first] + ([rest] if rest else [])
    total = math.fsum(values.tolist())
    decimals = decimals_for(values.tolist())
    decimals = max(decimals, min(decimals_for([total]), decimals + _MORE))
    shown = show_adding_up(groups, None, decimals)
    digits = list(shown.channels)
    return Pulls(
        name=name,
        index=tuple(index),
        photos=len(batch),
        largest=tuple(
            Pull(
                place=place,
                photo=int(batch.photos[place]),
                mixed_with=batch.mixed_with(place),
                value=float(values[place]),
                shown=text,
            )
            for place, text in zip(first, digits, strict=False)
        ),
        others=len(rest),
        others_sum=math.fsum(rest),
        shown_others=digits[len(first)] if rest else None,
        gradient=total,
        shown_gradient=shown.sum,
        framework=framework,
        difference=total - framework,
        decimals=decimals,
        adds_up=adds_up(digits, shown.sum),
        values=tuple(values.tolist()),
    )
