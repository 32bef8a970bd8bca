"""Whose photos they are: those a run learned from, or those with which a network was opened."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import PurePosixPath

import numpy as np
from jaxtyping import Float32, Int64, UInt8

from seethrough.data.collection import Collection
from seethrough.data.dataset import Dataset, Split
from seethrough.data.decode import picture
from seethrough.data.load import original
from seethrough.predict.prediction import NO_LABEL, prediction
from seethrough.runs.folder import Run
from seethrough.serve.dropped import DropBox
from seethrough.serve.opened import Opened
from seethrough.serve.photos import Album, SplitName
from seethrough.serve.shelf import Shelf
from seethrough.serve.wire import Photo

SPLITS: dict[Split, SplitName] = {
    Split.TRAIN: "train",
    Split.VALIDATION: "validation",
    Split.TEST: "test",
}


@dataclass(frozen=True)
class RunAlbum(Album):
    """The photos of a run's data set."""

    run: Run
    shelf: Shelf
    drops: DropBox

    @property
    def subject(self) -> Run:
        """The run."""
        return self.run

    @cached_property
    def dataset(self) -> Dataset:
        """The images that the run learned from."""
        return self.shelf.dataset(self.run)

    @cached_property
    def said(self) -> Float32[np.ndarray, "n k"] | None:
        """What the finished network says of each image; NaN: not asked. None: unfinished."""
        return self.shelf.said(self.run)

    @property
    def name(self) -> str:
        """The data set's."""
        return self.dataset.name

    @property
    def classes(self) -> Sequence[str]:
        """The data set's."""
        return self.dataset.classes

    def __len__(self) -> int:
        return len(self.dataset)

    def content(self, index: int) -> tuple[bytes, str]:
        """As it lies in the source."""
        return original(self.dataset, index), self.dataset.paths[index]

    def pixels(self, index: int) -> UInt8[np.ndarray, "s s 3"]:
        """As the data set holds them."""
        return np.array(self.dataset.images[index])

    def listed(self, index: int) -> Photo:
        """With what the finished network says of it."""
        dataset, said = self.dataset, self.said
        row = None if said is None or np.isnan(said[index, 0]) else said[index]
        told = None
        if row is not None:
            path = dataset.paths[index]
            told = prediction(path, dataset.classes, row, is_several=dataset.is_several)
        width, height = dataset.sizes[index]
        return Photo(
            id=f"t{index}",
            path=dataset.paths[index],
            split=SPLITS[Split(int(dataset.splits[index]))],
            label=", ".join(dataset.shown(index)) or NO_LABEL,
            labels=list(dataset.shown(index)) if dataset.is_several else None,
            predicted=None if told is None else told.label,
            probability=None if told is None else told.probability,
            width=int(width),
            height=int(height),
            note=None,
        )

    def matching(
        self, split: SplitName | None, label: int | None, predicted: int | None
    ) -> Int64[np.ndarray, " m"]:
        """Without a split: the test photos."""
        dataset = self.dataset
        wanted = next((value for value, name in SPLITS.items() if name == (split or "test")), None)
        if wanted is None:
            return np.empty(0, dtype=np.int64)
        matching = dataset.indices(wanted)
        if label is not None:
            matching = matching[dataset.having(label)[matching]]
        if predicted is not None:
            if self.said is None:
                return matching[:0]
            rows = self.said[matching]
            is_said = rows.argmax(axis=1) == predicted
            if dataset.is_several:
                is_said = rows[:, predicted] >= 0.5
            matching = matching[~np.isnan(rows[:, 0]) & is_said]
        return matching

    def sureness(self, indices: Int64[np.ndarray, " m"]) -> Float32[np.ndarray, " m"]:
        """By the finished run's predictions."""
        if self.said is None:
            return np.full(len(indices), np.nan, dtype=np.float32)
        rows = self.said[indices]
        if self.dataset.is_several:
            return np.asarray(np.maximum(rows, 1 - rows).min(axis=1))
        return np.asarray(rows.max(axis=1))

    def groups(self, indices: Int64[np.ndarray, " m"]) -> Int64[np.ndarray, " m"]:
        """Their labels."""
        labels = self.dataset.labels[indices]
        if self.dataset.is_several:  # a combination is a kind
            return np.unique(labels, axis=0, return_inverse=True)[1].reshape(-1).astype(np.int64)
        return np.asarray(labels)


@dataclass(frozen=True)
class OpenedAlbum(Album):
    """The photos with which a network was opened; what it says of them is seen in Look."""

    opened_network: Opened
    drops: DropBox

    @property
    def subject(self) -> Opened:
        """The network."""
        return self.opened_network

    @property
    def collection(self) -> Collection | None:
        """None: it was opened without photos."""
        return self.opened_network.photos

    @property
    def name(self) -> str:
        """The folder's, or the network's where there is none."""
        return self.collection.name if self.collection else self.opened_network.name

    @property
    def classes(self) -> Sequence[str]:
        """The network's."""
        return self.opened_network.classes

    def __len__(self) -> int:
        return len(self.collection) if self.collection else 0

    def content(self, index: int) -> tuple[bytes, str]:
        """As it lies in the source."""
        assert self.collection is not None
        return self.collection.content(index), self.collection.photos[index].path

    def pixels(self, index: int) -> UInt8[np.ndarray, "s s 3"]:
        """Decoded now: nothing of them is kept."""
        content, path = self.content(index)
        return picture(content, name=path, image_px=self.opened_network.image_px).pixels

    def listed(self, index: int) -> Photo:
        """With its class, where a folder says it."""
        assert self.collection is not None
        photo = self.collection.photos[index]
        return Photo(
            id=f"t{index}",
            path=photo.path,
            split="given",
            label=photo.label,
            predicted=None,
            probability=None,
            width=photo.width,
            height=photo.height,
            note=None,
        )

    def matching(
        self, split: SplitName | None, label: int | None, predicted: int | None
    ) -> Int64[np.ndarray, " m"]:
        """All of them were given; of none it is known beforehand what the network says."""
        if self.collection is None or split not in {None, "given"} or predicted is not None:
            return np.empty(0, dtype=np.int64)
        wanted = None if label is None else self.classes[label]
        photos = self.collection.photos
        return np.array(
            [i for i, photo in enumerate(photos) if label is None or photo.label == wanted],
            dtype=np.int64,
        )

    def sureness(self, indices: Int64[np.ndarray, " m"]) -> Float32[np.ndarray, " m"]:
        """Nobody asked."""
        return np.full(len(indices), np.nan, dtype=np.float32)

    def groups(self, indices: Int64[np.ndarray, " m"]) -> Int64[np.ndarray, " m"]:
        """Their folders."""
        photos = self.collection.photos if self.collection else ()
        folders = [str(PurePosixPath(photos[index].path).parent) for index in indices]
        numbers = {folder: number for number, folder in enumerate(sorted(set(folders)))}
        return np.array([numbers[folder] for folder in folders], dtype=np.int64)
