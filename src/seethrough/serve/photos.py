"""The photos of a run, by id: `t123` is image 123 of its data set, `u-…` one that was dropped.

What the network says of a photo in a list comes from the finished run's predictions; while it
learns, nothing is said. Pictures leave as PNG, encoded anew from decoded pixels, so that nothing
of a file's own bytes reaches the page.
"""

import io
import re
from dataclasses import dataclass
from functools import cached_property
from typing import Literal

import numpy as np
from jaxtyping import Float32, Int64, UInt8
from PIL import Image

from seethrough.data.dataset import Dataset, Split
from seethrough.data.decode import decode, picture
from seethrough.data.load import original
from seethrough.runs.folder import Run
from seethrough.serve.dropped import PREFIX, DropBox
from seethrough.serve.refusal import Refusal
from seethrough.serve.shelf import Shelf
from seethrough.serve.wire import Photo, PhotoList

SplitName = Literal["train", "validation", "test"]
SPLITS: dict[Split, SplitName] = {
    Split.TRAIN: "train",
    Split.VALIDATION: "validation",
    Split.TEST: "test",
}
SHOWN_PX = 2048  # a picture on screen has at most this many pixels a side


@dataclass(frozen=True)
class Album:
    """The photos of one run, for one request; dropped ones need no data set."""

    run: Run
    shelf: Shelf
    drops: DropBox

    @cached_property
    def dataset(self) -> Dataset:
        """The images that the run learned from."""
        return self.shelf.dataset(self.run)

    @cached_property
    def said(self) -> Float32[np.ndarray, "n k"] | None:
        """What the finished network says of each image; NaN: not asked. None: unfinished."""
        return self.shelf.said(self.run)

    def opened(self, photo_id: str) -> tuple[Photo, UInt8[np.ndarray, "s s 3"]]:
        """One photo, and exactly the pixels that the network reads of it."""
        if photo_id.startswith(PREFIX):
            drop = self.drops.get(photo_id)
            return self._opened(drop.content, drop.name, photo_id)
        index = self.index(photo_id)
        content, name = original(self.dataset, index), self.dataset.paths[index]
        found, _ = self._opened(content, name, photo_id)
        photo = self._listed(index).model_copy(update={"note": found.note})
        return photo, np.array(self.dataset.images[index])

    def _opened(
        self, content: bytes, name: str, photo_id: str
    ) -> tuple[Photo, UInt8[np.ndarray, "s s 3"]]:
        fitted = picture(content, name=name, image_px=self.run.manifest.network.image_px)
        photo = Photo(
            id=photo_id,
            path=name,
            split="dropped",
            label=None,
            predicted=None,
            probability=None,
            width=fitted.width,
            height=fitted.height,
            note=fitted.note,
        )
        return photo, fitted.pixels

    def drop(self, content: bytes, name: str) -> Photo:
        """Take in a photo, if it is one."""
        self._opened(content, name, "")
        drop = self.drops.put(content, name)
        return self.opened(drop.id)[0]

    def index(self, photo_id: str) -> int:
        """Which image of the data set an id names."""
        dataset = self.dataset
        if re.fullmatch(r"t(0|[1-9][0-9]{0,9})", photo_id) and int(photo_id[1:]) < len(dataset):
            return int(photo_id[1:])
        raise Refusal(
            404,
            f"There is no photo {photo_id[:40]!r} in {dataset.name}.",
            why=f"its photos are t0 to t{len(dataset) - 1}.",
            fix="choose one from the list of photos.",
        )

    def shown(self, photo_id: str) -> bytes:
        """The photo as PNG, upright, at most SHOWN_PX a side."""
        if photo_id.startswith(PREFIX):
            drop = self.drops.get(photo_id)
            content, name = drop.content, drop.name
        else:
            index = self.index(photo_id)
            content, name = original(self.dataset, index), self.dataset.paths[index]
        image = Image.fromarray(decode(content, name=name, image_px=SHOWN_PX // 2).pixels)
        image.thumbnail((SHOWN_PX, SHOWN_PX))
        return _png(image)

    def fitted(self, photo_id: str) -> bytes:
        """Exactly the pixels that the network reads, as PNG."""
        if photo_id.startswith(PREFIX):
            return _png(Image.fromarray(self.opened(photo_id)[1]))
        return _png(Image.fromarray(np.array(self.dataset.images[self.index(photo_id)])))

    def page(
        self,
        split: SplitName,
        *,
        label: str | None,
        predicted: str | None,
        order: str,
        limit: int,
        offset: int,
    ) -> PhotoList:
        """The photos of a split that match, in that order."""
        matching = self._matching(split, label, predicted)
        if order != "file":
            matching = self._by_probability(matching, falling=order == "sure")
        photos = [self._listed(int(index)) for index in matching[offset : offset + limit]]
        return PhotoList(total=len(matching), photos=photos)

    def _matching(
        self, split: SplitName, label: str | None, predicted: str | None
    ) -> Int64[np.ndarray, " m"]:
        dataset = self.dataset
        wanted = next(value for value, name in SPLITS.items() if name == split)
        matching = dataset.indices(wanted)
        if label is not None:
            matching = matching[dataset.labels[matching] == self._class(label)]
        if predicted is not None:
            chosen = self._class(predicted)
            if self.said is None:
                return matching[:0]
            rows = self.said[matching]
            matching = matching[~np.isnan(rows[:, 0]) & (rows.argmax(axis=1) == chosen)]
        return matching

    def _by_probability(
        self, matching: Int64[np.ndarray, " m"], *, falling: bool
    ) -> Int64[np.ndarray, " m"]:
        """By the probability of what was predicted; equal ones, and all while unknown, by file."""
        if self.said is None:
            return matching
        highest = self.said[matching].max(axis=1)  # NaN, not asked, sorts last either way
        return matching[np.argsort(-highest if falling else highest, kind="stable")]

    def _class(self, name: str) -> int:
        classes = self.dataset.classes
        if name in classes:
            return classes.index(name)
        raise Refusal(
            404,
            f"There is no class {name[:80]!r} in {self.dataset.name}.",
            why=f"it has {len(classes)} classes: {', '.join(classes[:8])}"
            f"{' …' if len(classes) > 8 else ''}.",
            fix="name one of them.",
        )

    def _listed(self, index: int) -> Photo:
        dataset, said = self.dataset, self.said
        best = None if said is None or np.isnan(said[index, 0]) else int(said[index].argmax())
        width, height = dataset.sizes[index]
        return Photo(
            id=f"t{index}",
            path=dataset.paths[index],
            split=SPLITS[Split(int(dataset.splits[index]))],
            label=dataset.classes[dataset.labels[index]],
            predicted=None if best is None else dataset.classes[best],
            probability=None if best is None or said is None else float(said[index, best]),
            width=int(width),
            height=int(height),
            note=None,
        )


def _png(image: Image.Image) -> bytes:
    stream = io.BytesIO()
    image.save(stream, format="PNG", compress_level=1)
    return stream.getvalue()
