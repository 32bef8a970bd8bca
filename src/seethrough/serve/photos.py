"""The photos that a network is shown, by id: `t123` is number 123 of them, `u-…` a dropped one.

They are those of a run's data set, or those of the folder with which a network was opened.
What the network says of a photo in a list comes from the finished run's predictions; while it
learns, nothing is said. Pictures leave as PNG, encoded anew from decoded pixels, so that nothing
of a file's own bytes reaches the page.
"""

import io
import re
from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Literal

import numpy as np
from jaxtyping import Float32, Int64, UInt8
from PIL import Image

from seethrough.data.decode import decode, picture
from seethrough.serve.dropped import PREFIX, DropBox
from seethrough.serve.opened import Opened, Subject
from seethrough.serve.refusal import Refusal
from seethrough.serve.wire import Photo, PhotoList

SplitName = Literal["train", "validation", "test", "given"]
SHOWN_PX = 2048  # a picture on screen has at most this many pixels a side
Order = Literal["sure", "unsure", "file", "mixed"]


class Album(ABC):
    """The photos to look at with one network, for one request; dropped ones are always there."""

    drops: DropBox

    @property
    @abstractmethod
    def subject(self) -> Subject:
        """What looks at them."""

    @property
    @abstractmethod
    def name(self) -> str:
        """What they are called together."""

    @property
    @abstractmethod
    def classes(self) -> Sequence[str]:
        """What the network tells apart."""

    @abstractmethod
    def __len__(self) -> int:
        """How many there are besides dropped ones."""

    @abstractmethod
    def content(self, index: int) -> tuple[bytes, str]:
        """The file of one photo as it lies in the source, and its path there."""

    @abstractmethod
    def pixels(self, index: int) -> UInt8[np.ndarray, "s s 3"]:
        """Exactly the pixels that the network reads of it."""

    @abstractmethod
    def listed(self, index: int) -> Photo:
        """What is known of it without decoding it."""

    @abstractmethod
    def matching(
        self, split: SplitName | None, label: int | None, predicted: int | None
    ) -> Int64[np.ndarray, " m"]:
        """Those of that split (None: all that were not learned from), label and prediction."""

    @abstractmethod
    def sureness(self, indices: Int64[np.ndarray, " m"]) -> Float32[np.ndarray, " m"]:
        """The probability of what was predicted of each; NaN: not asked."""

    @abstractmethod
    def groups(self, indices: Int64[np.ndarray, " m"]) -> Int64[np.ndarray, " m"]:
        """A number that photos of one kind have in common."""

    def opened(self, photo_id: str) -> tuple[Photo, UInt8[np.ndarray, "s s 3"]]:
        """One photo, and exactly the pixels that the network reads of it."""
        if photo_id.startswith(PREFIX):
            drop = self.drops.get(photo_id)
            return self._fitted(drop.content, drop.name, photo_id)
        index = self.index(photo_id)
        content, name = self.content(index)
        found, _ = self._fitted(content, name, photo_id)
        told = {"note": found.note, "width": found.width, "height": found.height}
        return self.listed(index).model_copy(update=told), self.pixels(index)

    def _fitted(
        self, content: bytes, name: str, photo_id: str
    ) -> tuple[Photo, UInt8[np.ndarray, "s s 3"]]:
        fitted = picture(content, name=name, image_px=image_px(self.subject))
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
        self._fitted(content, name, "")
        drop = self.drops.put(content, name)
        return self.opened(drop.id)[0]

    def index(self, photo_id: str) -> int:
        """Which of the photos an id names."""
        if re.fullmatch(r"t(0|[1-9][0-9]{0,9})", photo_id) and int(photo_id[1:]) < len(self):
            return int(photo_id[1:])
        raise Refusal(
            404,
            f"There is no photo {photo_id[:40]!r} in {self.name}.",
            why=f"its photos are t0 to t{len(self) - 1}." if len(self) else "it has none.",
            fix="choose one from the list of photos.",
        )

    def shown(self, photo_id: str) -> bytes:
        """The photo as PNG, upright, at most SHOWN_PX a side."""
        if photo_id.startswith(PREFIX):
            drop = self.drops.get(photo_id)
            content, name = drop.content, drop.name
        else:
            content, name = self.content(self.index(photo_id))
        image = Image.fromarray(decode(content, name=name, image_px=SHOWN_PX // 2).pixels)
        image.thumbnail((SHOWN_PX, SHOWN_PX))
        return _png(image)

    def fitted(self, photo_id: str) -> bytes:
        """Exactly the pixels that the network reads, as PNG."""
        if photo_id.startswith(PREFIX):
            return _png(Image.fromarray(self.opened(photo_id)[1]))
        return _png(Image.fromarray(self.pixels(self.index(photo_id))))

    def page(
        self,
        split: SplitName | None,
        *,
        label: str | None,
        predicted: str | None,
        order: Order,
        limit: int,
        offset: int,
    ) -> PhotoList:
        """The photos of a split that match, in that order."""
        chosen = [None if each is None else self._class(each) for each in (label, predicted)]
        matching = self.matching(split, *chosen)
        if order == "mixed":
            matching = _in_turns(matching, self.groups(matching))
        elif order != "file":
            # NaN, not asked, sorts last either way; equal ones, and all while unknown, by file
            highest = self.sureness(matching)
            falling = order == "sure"
            matching = matching[np.argsort(-highest if falling else highest, kind="stable")]
        photos = [self.listed(int(index)) for index in matching[offset : offset + limit]]
        return PhotoList(total=len(matching), photos=photos)

    def _class(self, name: str) -> int:
        if name in self.classes:
            return self.classes.index(name)
        raise Refusal(
            404,
            f"There is no class {name[:80]!r} in {self.name}.",
            why=f"it has {len(self.classes)} classes: {', '.join(self.classes[:8])}"
            f"{' …' if len(self.classes) > 8 else ''}.",
            fix="name one of them.",
        )


def image_px(subject: Subject) -> int:
    """What the network looks at: squares of this many pixels a side."""
    return subject.image_px if isinstance(subject, Opened) else subject.manifest.network.image_px


def _in_turns(
    indices: Int64[np.ndarray, " m"], groups: Int64[np.ndarray, " m"]
) -> Int64[np.ndarray, " m"]:
    """The first of every group, then the second of every group, and so on."""
    by_group = np.argsort(groups, kind="stable")
    _, starts, counts = np.unique(groups[by_group], return_index=True, return_counts=True)
    turns = np.empty(len(indices), dtype=np.int64)
    turns[by_group] = np.arange(len(indices)) - np.repeat(starts, counts)
    return indices[np.lexsort((groups, turns))]


def _png(image: Image.Image) -> bytes:
    stream = io.BytesIO()
    image.save(stream, format="PNG", compress_level=1)
    return stream.getvalue()
