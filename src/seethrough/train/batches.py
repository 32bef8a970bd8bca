"""The images of every step: a pure function of (seed, epoch, image id).

Every training image is used once an epoch. The last batch takes what is left over and may be
smaller; one single image left over joins the batch before it, because batch normalisation
cannot measure the spread of one image.
"""

from collections.abc import Callable, Generator, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float32, Float64, Int64, Shaped, UInt8
from torch import Tensor

from seethrough.data.augment import augment, cut_mixed, mixed, order
from seethrough.data.dataset import Dataset, Split
from seethrough.errors import RecipeError
from seethrough.train.goal import targets_of
from seethrough.train.loss import binary_weights_of, weights_of
from seethrough.train.recipe import Recipe
from seethrough.train.shrink import shrunk


def sizes(images: int, batch: int) -> list[int]:
    """Images of each step of an epoch."""
    full, left = divmod(images, batch)
    if left == 1 and full:
        return [batch] * (full - 1) + [batch + 1]
    return [batch] * full + ([left] if left else [])


def whole(images: int) -> tuple[int, int]:
    """All images of a batch."""
    return 0, images


Batch = tuple[Tensor, Tensor]  # images and targets


def ahead(batches: Iterator[Batch]) -> Generator[Batch, None, None]:
    """The same batches; while one is used, a thread makes the next one, and no more than that."""
    with ThreadPoolExecutor(1, thread_name_prefix="input") as maker:
        waiting = maker.submit(next, batches, None)
        while (found := waiting.result()) is not None:
            waiting = maker.submit(next, batches, None)
            yield found


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
        if recipe.cutout_px > dataset.image_px:
            raise RecipeError(
                f"cutout_px={recipe.cutout_px} does not suit images of {dataset.image_px} px.",
                why="the covered square is larger than the image.",
                fix=f"write a number up to {dataset.image_px}, such as {dataset.image_px // 4}.",
            )
        return cls(
            dataset=dataset,
            recipe=recipe,
            index=index,
            sizes=tuple(sizes(len(index), recipe.batch)),
        )

    def class_weights(self) -> Float32[Tensor, "*two k"] | None:
        """How much each class counts, of several labels 0 and 1 of each; None: all alike."""
        if not self.recipe.class_weights:
            return None
        labels = self.dataset.labels[self.index]
        if self.dataset.is_several:
            return binary_weights_of(labels.sum(axis=0).tolist(), len(labels))
        return weights_of(np.bincount(labels, minlength=len(self.dataset.classes)).tolist())

    def some(self, most: int) -> UInt8[np.ndarray, "n h w 3"]:
        """At most so many of the training images, as they are, drawn by the seed."""
        turn = order(self.dataset.ids[self.index], seed=self.recipe.seed, epoch=0)[:most]
        chosen: np.ndarray = self.dataset.images[np.sort(self.index[turn])]
        return chosen

    def photos(self, epoch: int, number: int) -> Int64[np.ndarray, " n"]:
        """Where the images of a step lie in the data set; `number` counts from 0 in the epoch.

        Of mixed images, each with the one behind it, the last with the first.
        """
        end = sum(self.sizes[: number + 1])
        chosen: np.ndarray = self._turn(epoch)[end - self.sizes[number] : end]
        return chosen

    def _turn(self, epoch: int) -> Int64[np.ndarray, " n"]:
        """All training images, in the order of an epoch."""
        ids = self.dataset.ids[self.index]
        turn: np.ndarray = self.index[order(ids, seed=self.recipe.seed, epoch=epoch)]
        return turn

    def epoch(
        self, epoch: int, *, skip: int = 0, part: Callable[[int], tuple[int, int]] = whole
    ) -> Iterator[Batch]:
        """Images (n c h w, uint8, channels last) and targets of each step after the first `skip`.

        Of a batch of so many images only those from the first to before the second of `part`.
        Targets are labels (n, int64), or, of mixed images, shares of the classes (n k); of several
        labels 0 and 1 (n k, float32), mixed by the same shares.
        """
        recipe, dataset, turn = self.recipe, self.dataset, self._turn(epoch)
        ends = np.cumsum(self.sizes)
        for start, end in zip(ends[skip:] - self.sizes[skip:], ends[skip:], strict=True):
            first, last = part(int(end - start))
            chosen = turn[start + first : start + last]
            is_mixed = recipe.mixup > 0 or recipe.cutmix > 0
            if is_mixed:  # each is mixed with the next one of the whole batch
                chosen = np.append(chosen, turn[start + last % (end - start)])
            images = augment(
                dataset.images[chosen],
                dataset.ids[chosen],
                seed=recipe.seed,
                epoch=epoch,
                flip=recipe.flip,
                shift_px=recipe.shift_px,
                colour=recipe.colour,
                cutout_px=recipe.cutout_px,
                alternate=recipe.alternate,
            )
            targets = targets_of(dataset, chosen)
            if is_mixed:
                mix, alpha = (mixed, recipe.mixup) if recipe.mixup else (cut_mixed, recipe.cutmix)
                ids = dataset.ids[chosen]
                images, own = mix(images, ids, seed=recipe.seed, epoch=epoch, alpha=alpha)
                images = images[:-1]
                targets = _shares(targets, own, len(dataset.classes))[:-1]
            # h w c in memory is what torch calls channels last: nothing is moved.
            pixels = torch.from_numpy(np.ascontiguousarray(images)).permute(0, 3, 1, 2)
            side = recipe.side(epoch, dataset.image_px)
            yield shrunk(pixels, side), torch.from_numpy(targets)


def _shares(
    labels: Shaped[np.ndarray, " n *k"], own: Float64[np.ndarray, " n"], num_classes: int
) -> Float32[np.ndarray, "n k"]:
    """Of each mixed image, how much of every class is in it."""
    pure = np.eye(num_classes)[labels] if labels.ndim == 1 else labels.astype(np.float64)
    shares: np.ndarray = own[:, None] * pure + (1 - own[:, None]) * np.roll(pure, -1, axis=0)
    return shares.astype(np.float32)
