"""The images of every step: a pure function of (seed, epoch, image id).

Every training image is used once an epoch. The last batch takes what is left over and may be
smaller; one single image left over joins the batch before it, because batch normalisation
cannot measure the spread of one image.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from seethrough.data.augment import augment, order
from seethrough.data.dataset import Dataset, Split
from seethrough.errors import RecipeError
from seethrough.train.recipe import Recipe


def sizes(images: int, batch: int) -> list[int]:
    """Images of each step of an epoch."""
    full, left = divmod(images, batch)
    if left == 1 and full:
        return [batch] * (full - 1) + [batch + 1]
    return [batch] * full + ([left] if left else [])


@dataclass(frozen=True, slots=True, kw_only=True)
class Batches:
    """The training images of a data set, cut into steps as a recipe says."""

    dataset: Dataset
    recipe: Recipe
    index: np.ndarray  # of the training images in the data set
    sizes: tuple[int, ...]  # images of each step of an epoch

    @classmethod
    def of(cls, dataset: Dataset, recipe: Recipe) -> "Batches":
        """The batches of a data set's training images."""
        index = dataset.indices(Split.TRAIN)
        if len(index) < 2:
            raise RecipeError(
                f"{dataset.name} has {len(index)} training images.",
                why="a network learns by comparing images; it takes at least two.",
                fix="add images to the training folders, or set aside fewer for testing.",
            )
        return cls(
            dataset=dataset,
            recipe=recipe,
            index=index,
            sizes=tuple(sizes(len(index), recipe.batch)),
        )

    def epoch(self, epoch: int, *, skip: int = 0) -> Iterator[tuple[Tensor, Tensor]]:
        """Images (n c h w, uint8, channels last) and labels of each step after the first `skip`."""
        recipe, dataset = self.recipe, self.dataset
        turn = self.index[order(dataset.ids[self.index], seed=recipe.seed, epoch=epoch)]
        ends = np.cumsum(self.sizes)
        for start, end in zip(ends[skip:] - self.sizes[skip:], ends[skip:], strict=True):
            chosen = turn[start:end]
            images = augment(
                dataset.images[chosen],
                dataset.ids[chosen],
                seed=recipe.seed,
                epoch=epoch,
                flip=recipe.flip,
                shift_px=recipe.shift_px,
            )
            labels = torch.from_numpy(dataset.labels[chosen].astype(np.int64))
            # h w c in memory is what torch calls channels last: nothing is moved.
            yield torch.from_numpy(np.ascontiguousarray(images)).permute(0, 3, 1, 2), labels
