"""A network through time: photos learned, units died, photos wandering in feature space.

    learned    the first moment from which on a photo is always right, up to the last one
    died       the first moment from which on a ReLU's unit is 0 in every cell of every photo given
    positions  features of all photos at all moments together, in the plane of their first two
               principal components: one plane for all time, so that nothing jumps

    c = mean of all rows     C = (X − c)ᵀ(X − c) / (rows − 1)     position = (x − c) · (v₁, v₂)

v₁ and v₂ are the eigenvectors of C with the largest eigenvalues λ; λᵢ / Σλ is the share of the
variance that a direction shows. Their largest component is positive, so that the sign is fixed.
Knows nothing of runs: it takes what `sighting` saw at each moment.
Source: Pearson, "On lines and planes of closest fit" (1901), doi:10.1080/14786440109462720.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import scipy.sparse.linalg
from jaxtyping import Bool, Float32, Float64, Int64

from seethrough.explain.sighting import Sighting, Sights

MOST_NUMBERS = 16_000_000  # features that are held at once, of all photos and moments: 64 MB
_SMALL = 128
MOST_PHOTOS, FEWEST_PHOTOS = 160, 24


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Timeline:
    """Some photos at every moment of a training."""

    steps: tuple[int, ...]  # of the m moments
    probabilities: Float32[np.ndarray, "m n k"]
    photos: tuple[int, ...]  # the n photos' numbers in their data set
    labels: Int64[np.ndarray, " n"]
    learned: tuple[int | None, ...]  # a step for each photo; None: it is wrong at the end
    died: Mapping[str, tuple[int | None, ...]]  # by the ReLU's name, for each unit; None: it lives
    positions: Float32[np.ndarray, "m n 2"]
    shares: tuple[float, float]  # of the features' variance that the two directions show, 0..1
    features: str  # the layer whose numbers these are
    num_features: int

    @property
    def accuracy(self) -> Float64[np.ndarray, " m"]:
        """Share of these photos that are right, at each moment."""
        return np.asarray((self.probabilities.argmax(2) == self.labels).mean(1))


def timeline(
    steps: Sequence[int],
    sightings: Sequence[Sighting],
    names: Sights,
    photos: Sequence[int],
    labels: Int64[np.ndarray, " n"],
) -> Timeline:
    """What became of the photos and of the units, from one sighting for each moment."""
    probabilities = np.stack([seen.probabilities for seen in sightings])
    positions, shares = plane(np.stack([seen.features for seen in sightings]))
    layers = [name for name in names.relus if all(name in seen.living for seen in sightings)]
    return Timeline(
        steps=tuple(steps),
        probabilities=probabilities,
        photos=tuple(photos),
        labels=labels,
        learned=since(steps, probabilities.argmax(2) == labels),
        died={
            name: since(steps, ~np.stack([seen.living[name] for seen in sightings]))
            for name in layers
        },
        positions=positions,
        shares=shares,
        features=names.features,
        num_features=names.num_features,
    )


def since(steps: Sequence[int], holds: Bool[np.ndarray, "m n"]) -> tuple[int | None, ...]:
    """For each column the step from which on it holds until the end; None: not at the end."""
    # What holds from a moment on holds in all later ones: count them from the end.
    lasting = np.logical_and.accumulate(holds[::-1], axis=0).sum(0)
    return tuple(steps[len(steps) - int(count)] if count else None for count in lasting)


def plane(
    features: Float32[np.ndarray, "m n d"],
) -> tuple[Float32[np.ndarray, "m n 2"], tuple[float, float]]:
    """Places in one plane for all moments, and the shares of variance of its two directions."""
    moments, photos, num = features.shape
    rows = features.reshape(-1, num).astype(np.float64)
    rows -= rows.mean(0)
    # The smaller of the two products of X with itself has the same eigenvalues.
    is_wide = num > len(rows)
    values, vectors = _largest_two(rows @ rows.T if is_wide else rows.T @ rows)
    axes = rows.T @ vectors if is_wide else vectors
    axes /= np.maximum(np.linalg.norm(axes, axis=0), np.finfo(float).tiny)
    axes *= np.where(axes[np.abs(axes).argmax(0), [0, 1]] < 0, -1, 1)
    total = float((rows**2).sum())  # the sum of all eigenvalues
    first, second = (float(value) / total if total > 0 else 0.0 for value in values)
    placed = (rows @ axes).reshape(moments, photos, 2).astype(np.float32)
    return placed, (first, second)


def _largest_two(
    product: Float64[np.ndarray, "d d"],
) -> tuple[Float64[np.ndarray, "2"], Float64[np.ndarray, "d 2"]]:
    """The two largest eigenvalues and their vectors; 0 where there is only one."""
    if len(product) > _SMALL:
        # begun with the same vector each time, so that the same features give the same plane
        values, vectors = scipy.sparse.linalg.eigsh(product, k=2, v0=np.ones(len(product)))
    else:
        values, vectors = np.linalg.eigh(product)
    order = np.argsort(values)[::-1][:2]
    values, vectors = np.maximum(values[order], 0), vectors[:, order]
    missing = 2 - len(order)
    return np.pad(values, (0, missing)), np.pad(vectors, ((0, 0), (0, missing)))


def num_photos(num_features: int, num_moments: int) -> int:
    """How many photos are followed, so that their features stay within MOST_NUMBERS."""
    fitting = MOST_NUMBERS // max(1, num_features * num_moments)
    return max(FEWEST_PHOTOS, min(MOST_PHOTOS, fitting))
