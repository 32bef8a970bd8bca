"""A data set in memory: pixels, labels, names, and what went wrong on the way.

Pixels are 8-bit RGB, all squares of one size; normalisation belongs to the network.
`id` is the first eight bytes, big-endian, of the SHA-256 of the file: equal files, equal ids.
"""

from dataclasses import dataclass, field

import numpy as np
from jaxtyping import Bool, Float32, Int32, Int64, Shaped, UInt8, UInt64

from seethrough.data.split import Split, SplitPlan
from seethrough.errors import SeethroughError

__all__ = ["MOST_TRAINED", "Dataset", "Problem", "Split"]

# Training photos that a report judges: a share of so many is known to 0.4 points.
MOST_TRAINED = 15_000

_FITS_32_BITS = 65_000  # squares of a pixel, up to 255², that can be added in 32 bits
_CHUNK_BYTES = 8_000_000  # of pixels that are looked at together


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """A file that was found and could not be used."""

    path: str
    what: str
    why: str
    fix: str

    @classmethod
    def of(cls, path: str, error: SeethroughError) -> "Problem":
        """What an error says about a file whose path stands beside it."""
        what = error.what.removeprefix(f"{path}: ")
        return cls(path=path, what=what[:1].upper() + what[1:], why=error.why, fix=error.fix)


@dataclass(frozen=True, slots=True, kw_only=True)
class Dataset:
    """Images, labels and splits in the order of the paths; nothing here changes after loading.

    `labels` are positions in `classes` (int64, n); of photos with several labels a table (uint8,
    n k), 1 where the photo has the label.
    """

    name: str
    source: str  # absolute path of the folder or the zip, or the name of a built-in set
    fingerprint: str  # SHA-256 in hexadecimal: see `fingerprint.py`
    image_px: int
    classes: tuple[str, ...]  # sorted; a label is a position in it
    images: UInt8[np.ndarray, "n h w 3"]  # read-only, mapped from the cache
    labels: Shaped[np.ndarray, " n *k"]
    splits: UInt8[np.ndarray, " n"]  # values of Split
    ids: UInt64[np.ndarray, " n"]
    paths: tuple[str, ...]  # relative to the source, with /
    sizes: Int32[np.ndarray, "n 2"]  # width, height of the file, upright
    problems: tuple[Problem, ...]
    notes: tuple[str, ...]  # whole sentences
    caveats: tuple[str, ...] = ()  # those of the notes without which a test score misleads
    plan: SplitPlan = field(default_factory=SplitPlan)  # of photos without split folders
    labels_file: str | None = None  # absolute path of the CSV that says the labels; None: folders

    def __len__(self) -> int:
        return len(self.paths)

    @property
    def is_several(self) -> bool:
        """Whether a photo can have several labels, or none."""
        return self.labels.ndim == 2

    def shown(self, index: int) -> tuple[str, ...]:
        """The names of what an image shows: one, or of several labels each that it has."""
        if not self.is_several:
            return (self.classes[int(self.labels[index])],)
        return tuple(self.classes[label] for label in np.flatnonzero(self.labels[index]))

    def having(self, label: int) -> Bool[np.ndarray, " n"]:
        """Which images have this label, by its position in `classes`."""
        own = self.labels == label if not self.is_several else self.labels[:, label] == 1
        return np.asarray(own)

    def indices(self, split: Split) -> Int64[np.ndarray, " m"]:
        """Positions of the images of one split."""
        return np.flatnonzero(self.splits == split).astype(np.int64)

    def some(self, split: Split, most: int) -> Int64[np.ndarray, " m"]:
        """At most so many positions of one split, chosen by what the images are; in their order."""
        every = self.indices(split)
        chosen: np.ndarray = np.sort(every[np.argsort(self.ids[every], kind="stable")[:most]])
        return chosen

    def mean_std(self) -> tuple[Float32[np.ndarray, " 3"], Float32[np.ndarray, " 3"]]:
        """Mean and standard deviation of pixel / 255 over the training images, for each channel.

        Sums are exact integers. A channel in which all pixels are equal has no spread to divide
        by; it gets 1.
        """
        train = self.indices(Split.TRAIN)
        side = self.image_px
        step = min(_FITS_32_BITS, max(1, _CHUNK_BYTES // (side * side * 3)))
        total, total_of_squares = [0, 0, 0], [0, 0, 0]
        for start in range(0, len(train), step):
            wide = self.images[train[start : start + step]].astype(np.uint16)
            sums = wide.sum(axis=0, dtype=np.uint32).sum(axis=(0, 1), dtype=np.uint64)
            np.square(wide, out=wide)
            squares = wide.sum(axis=0, dtype=np.uint32).sum(axis=(0, 1), dtype=np.uint64)
            for channel in range(3):
                total[channel] += int(sums[channel])
                total_of_squares[channel] += int(squares[channel])
        count = max(1, len(train) * side * side)
        mean = [value / count / 255 for value in total]
        # count² · variance, in integers: no digits are lost to the difference of two large numbers
        spread = [
            count * squares - plain * plain
            for plain, squares in zip(total, total_of_squares, strict=True)
        ]
        std = [(value**0.5) / count / 255 if value else 1.0 for value in spread]
        return np.array(mean, dtype=np.float32), np.array(std, dtype=np.float32)
