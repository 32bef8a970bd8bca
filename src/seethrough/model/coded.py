"""Networks that are code instead of text: ready ones, functions of one's own, published ones.

Naming one runs nothing: `make` builds it, and only then is a function of somebody's imported.
"""

import re
from dataclasses import dataclass
from enum import StrEnum

from seethrough.errors import SpecError
from seethrough.model.source import find
from seethrough.model.spec import MAX_IMAGE_PX, NetworkSpec


class Origin(StrEnum):
    """Whose code makes the network."""

    READY = "ready"  # ours
    REFERENCE = "reference"  # a function that the user names
    HF = "hf"  # the library transformers, from a configuration that names no code


@dataclass(frozen=True, slots=True, kw_only=True)
class ModuleSpec:
    """A network that code makes: `resnet-18`, or the function `make` in `nets.py`."""

    name: str
    image_px: int
    text: str  # the ready network's name, the reference, or hf:OWNER/NAME@REVISION
    origin: Origin
    source: str | None = None  # the text of the file with the function, or the configuration
    source_sha256: str | None = None  # and the SHA-256 of its bytes

    def __post_init__(self) -> None:
        if isinstance(self.image_px, bool) or not 1 <= self.image_px <= MAX_IMAGE_PX:
            raise SpecError(
                f"image_px is {self.image_px!r}.",
                why="the network reads square images of this many pixels a side.",
                fix=f"write a whole number from 1 to {MAX_IMAGE_PX:,}, 32 for instance.",
            )

    @property
    def has_sizes_alone(self) -> bool:
        """Whether its sizes can be had without its numbers: not where code may ask for these."""
        return self.origin is not Origin.REFERENCE


Network = NetworkSpec | ModuleSpec


def referred(reference: str, *, image_px: int) -> ModuleSpec:
    """The network of a function of one's own, as its file stands now; nothing is run."""
    source = find(reference)
    return ModuleSpec(
        name=re.sub(r"[\x00-\x1f\x7f]", "?", source.short)[:100],
        image_px=image_px,
        text=source.reference,
        origin=Origin.REFERENCE,
        source=source.text,
        source_sha256=source.sha256,
    )
