"""A network that is looked at and is no run: a trained module, or a file, with photos or none.

It lives as long as the server and has no folder. Its id is `n-` and the first 12 hexadecimal digits
of the SHA-256 of its weights, and stands in addresses where a run's name does; what only a run has
(a log, a report, moments) is refused in words.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeAlias

from seethrough.data.collection import Collection
from seethrough.runs.folder import Run
from seethrough.serve.refusal import Refusal

if TYPE_CHECKING:
    from torch import Tensor

    from seethrough.classifier import Classifier

PREFIX = "n-"
RECORDED = "Its graph is what its forward called as the photo went through."
OF_A_FILE = "Its graph is the file’s own, each operator a layer."


@dataclass(frozen=True, slots=True, kw_only=True)
class Opened:
    """A classifier that somebody opened, and where it came from."""

    name: str  # model.onnx
    origin: str  # the end of a sentence: opened from an ONNX file
    graph: str  # how its graph was found: a whole sentence
    classifier: "Classifier" = field(repr=False)
    weights_sha256: str
    parameters: int
    photos: Collection | None

    @property
    def id(self) -> str:
        """Stands where a run's name does."""
        return PREFIX + self.weights_sha256[:12]

    @property
    def classes(self) -> tuple[str, ...]:
        """The names of its outputs."""
        return self.classifier.classes

    @property
    def image_px(self) -> int:
        """It looks at squares of this many pixels a side."""
        return self.classifier.image_px

    def no_run(self) -> Refusal:
        """For what only a run has."""
        return Refusal(
            409,
            f"{self.name} is no run.",
            why=f"it was {self.origin}: of its training nothing is known here.",
            fix="look through it with Look, Try and the Sandbox; the rest needs a run.",
        )

    def optimizer_memory(self) -> "Mapping[str, Tensor]":
        """No optimizer is known that could remember."""
        raise self.no_run()


Subject: TypeAlias = Run | Opened  # what photos are looked at with


def opened(
    classifier: "Classifier",
    *,
    name: str,
    origin: str,
    graph: str = RECORDED,
    photos: Collection | None = None,
) -> Opened:
    """The network as it is now; loads torch."""
    from seethrough.model.checkpoint import weights_sha256

    return Opened(
        name=name,
        origin=origin,
        graph=graph,
        classifier=classifier,
        weights_sha256=weights_sha256(classifier.module),
        parameters=sum(each.numel() for each in classifier.module.parameters()),
        photos=photos,
    )
