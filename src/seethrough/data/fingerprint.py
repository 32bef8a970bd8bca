"""What makes two data sets the same: names, classes, splits and bytes, not places or dates.

    content      SHA-256 over: format, image_px, classes, then path, label and file digest of each
                 image, each part preceded by its length
    fingerprint  SHA-256 over: content, the splits

A folder and a zip of it have the same fingerprint; so has a copy on another machine.
"""

import hashlib
from collections.abc import Iterable, Sequence

import numpy as np
from jaxtyping import UInt8

from seethrough.data.source import digest

_FORMAT = "seethrough data 1"


def content_digest(
    image_px: int, classes: Sequence[str], images: Iterable[tuple[str, int, str]]
) -> str:
    """Of what was decoded; an image is its path, its label and the SHA-256 of its file."""

    def parts() -> Iterable[str]:
        yield from (_FORMAT, str(image_px), str(len(classes)), *classes)
        for path, label, file_digest in images:
            yield from (path, str(label), file_digest)

    return digest(parts())


def fingerprint(content: str, splits: UInt8[np.ndarray, " n"]) -> str:
    """Of what was decoded and how it was divided."""
    return hashlib.sha256(content.encode("ascii") + b"\0" + splits.tobytes()).hexdigest()
