"""A data set that exists in memory only: small tinted squares, learnable in a few steps."""

import numpy as np

from seethrough.data.dataset import Dataset
from seethrough.data.split import Split

CLASSES = ("red", "green", "blue")


def tinted(num_train: int, num_test: int, *, image_px: int = 12, seed: int = 0) -> Dataset:
    """Noise with one colour raised; labels in turn, ids that are not in order."""
    random = np.random.default_rng(seed)
    count = num_train + num_test
    labels = np.arange(count) % 3
    images = random.integers(0, 150, (count, image_px, image_px, 3), dtype=np.uint8)
    images[np.arange(count), :, :, labels] += 40
    splits = np.where(np.arange(count) < num_train, Split.TRAIN, Split.TEST).astype(np.uint8)
    return Dataset(
        name="tinted",
        source="nowhere",
        fingerprint="0" * 64,
        image_px=image_px,
        classes=CLASSES,
        images=images,
        labels=labels.astype(np.int64),
        splits=splits,
        ids=random.integers(0, 2**63, count, dtype=np.uint64),
        paths=tuple(f"{CLASSES[label]}/{number}.png" for number, label in enumerate(labels)),
        sizes=np.full((count, 2), image_px, dtype=np.int32),
        problems=(),
        notes=(),
    )
