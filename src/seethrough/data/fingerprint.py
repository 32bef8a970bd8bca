"""What makes two data sets the same: names, classes, splits and bytes, not places or dates.

    content      SHA-256 over: format, image_px, classes, then path, label and file digest of each
                 image, each part preceded by its length; of several labels their positions with
                 commas between, and another format
    fingerprint  SHA-256 over: content, the splits

A folder and a zip of it have the same fingerprint; so has a copy on another machine.
"""

import hashlib
from collections.abc import Iterable, Sequence

import numpy as np
from jaxtyping import UInt8

from seethrough.data.source import digest

_FORMAT = "seethrough data 1"
_SEVERAL = "seethrough data 1, several labels"


def content_digest(
    image_px: int,
    classes: Sequence[str],
    images: Iterable[tuple[str, int | tuple[int, ...], str]],
    *,
    is_several: bool = False,
) -> str:
    """Of what was decoded; an image is its path, its label or labels, and its file's SHA-256."""

    def parts() -> Iterable[str]:
        written = _SEVERAL if is_several else _FORMAT
        yield from (written, str(image_px), str(len(classes)), *classes)
        for path, label, file_digest in images:
            own = str(label) if isinstance(label, int) else ",".join(map(str, label))
            yield from (path, own, file_digest)

    return digest(parts())


def fingerprint(content: str, splits: UInt8[np.ndarray, " n"]) -> str:
    """Of what was decoded and how it was divided."""
    return hashlib.sha256(content.encode("ascii") + b"\0" + splits.tobytes()).hexdigest()
