"""A network that is named on the command line and is no run, opened to be looked at.

    model.onnx                   an ONNX file
    nets.py:make, resnet-18, …   what `train --model` takes, with the weights of a file or its own

Naming a function of one's own is the word that it may run. Nothing is written.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import click

from seethrough.cli.loading import progress_bar, tell_problems
from seethrough.cli.terminal import say
from seethrough.model.source import is_reference

if TYPE_CHECKING:
    from seethrough.classifier import Classifier
    from seethrough.data.collection import Collection
    from seethrough.model.weights import Weights
    from seethrough.serve.opened import Opened

PLAIN: tuple[tuple[float, ...], tuple[float, ...]] = ((0.0, 0.0, 0.0), (1.0, 1.0, 1.0))


@dataclass(frozen=True, slots=True)
class Named:
    """What was typed; None: not given."""

    network: str
    weights: Path | None
    classes: str | None
    image_px: int | None
    mean: tuple[float, ...] | None
    std: tuple[float, ...] | None
    photos: str | None

    @property
    def is_file(self) -> bool:
        """An ONNX file, by its name."""
        return self.network.lower().endswith(".onnx")

    def check(self) -> None:
        """What goes together."""
        if (self.mean is None) != (self.std is None):
            raise click.UsageError("--mean and --std go together: (pixel / 255 − mean) / std.")
        if self.weights is not None and self.is_file:
            raise click.UsageError("An ONNX file has its weights inside: leave --weights out.")


def open_network(named: Named) -> "Opened":
    """The network and its photos, both checked; raises what is wrong with either."""
    from seethrough.serve.opened import OF_A_FILE, RECORDED, opened

    weights = _weights(named)
    classifier = _of_file(named) if named.is_file else _of_function(named, weights)
    name = _name(named.network)
    return opened(
        classifier,
        name=name,
        origin=_origin(named),
        graph=OF_A_FILE if named.is_file else RECORDED,
        photos=_photos(named, classifier.classes),
    )


def _origin(named: Named) -> str:
    """The end of a sentence."""
    if named.is_file:
        return "opened from an ONNX file"
    is_own = is_reference(named.network)
    what = "opened from a function of yours" if is_own else "made here"
    if named.weights is not None:
        return f"{what}, with the weights of {named.weights.name}"
    return f"{what}, with {'the weights that it gives' if is_own else 'untrained weights'}"


def _name(network: str) -> str:
    """The last part of a path; a text of layers as far as it can be read at a glance."""
    short = network if "," in network else network.replace("\\", "/").rpartition("/")[2]
    return short if len(short) <= 60 else f"{short[:59]}…"


def _weights(named: Named) -> "Weights | None":
    if named.weights is None:
        return None
    from seethrough.model.weights import read_weights

    return read_weights(named.weights)


def _of_file(named: Named) -> "Classifier":
    from seethrough.classifier import wrap

    return wrap(
        Path(named.network),
        classes=classes_of(named.classes),
        image_px=named.image_px,
        mean=named.mean,
        std=named.std,
    )


def _of_function(named: Named, weights: "Weights | None") -> "Classifier":
    from seethrough.classifier import of_pixels
    from seethrough.errors import ShapeError
    from seethrough.model.make import make
    from seethrough.model.presets import asked_for
    from seethrough.model.weights import load_weights

    classes = classes_of(named.classes) or (weights.classes if weights else ())
    image_px = named.image_px or (weights.image_px if weights else None)
    if not classes or image_px is None:
        missing = [
            word for word, has in (("--classes", classes), ("--image-px", image_px)) if not has
        ]
        raise ShapeError(
            f"{' and '.join(missing)} {'are' if len(missing) > 1 else 'is'} missing.",
            why=f"{_name(named.network)} alone does not say how many classes it tells apart, or "
            "how large the photos are that it looks at.",
            fix="add for example --classes cup,pen,spoon --image-px 224, the classes in the order "
            "of the network's outputs.",
        )
    if weights and weights.normalises and named.mean:
        raise ShapeError(
            "These weights normalise by themselves.",
            why="they were trained here, with their mean and deviation among them.",
            fix="leave --mean and --std out.",
        )
    mean, std = (named.mean, named.std) if named.mean and named.std else PLAIN
    module = make(
        asked_for(named.network, image_px), num_classes=len(classes), mean=mean, std=std, seed=0
    )
    if weights is not None:
        load_weights(module, weights)
    return of_pixels(module.eval(), classes=classes, image_px=image_px)


def classes_of(text: str | None) -> tuple[str, ...]:
    """The names of a file (one a line) or of a list with commas; a number K means 0 to K − 1."""
    from seethrough.errors import DataError

    if text is None:
        return ()
    if text.isdecimal() and 1 < int(text) <= 100_000:
        return tuple(map(str, range(int(text))))
    path = Path(text)
    if "," not in text and path.is_file():
        names = path.read_text(encoding="utf-8", errors="replace").splitlines()
    else:
        names = text.split(",")
    classes = tuple(name.strip() for name in names if name.strip())
    if len(classes) < 2 or len(set(classes)) < len(classes):
        twice = next((name for name in classes if classes.count(name) > 1), None)
        raise DataError(
            f"--classes {text[:80]} cannot be used.",
            why=f"it names {twice!r} twice."
            if twice
            else f"it names {len(classes)} of them, and there is no such file.",
            fix="write at least two names with commas between them, a file with one name a line, "
            "or how many there are.",
        )
    return classes


def _photos(named: Named, classes: Sequence[str]) -> "Collection | None":
    if named.photos is None:
        return None
    from seethrough.data.collection import collect

    with progress_bar() as shown:
        found = collect(named.photos, classes, progress=shown)
    say(f"{found.name}: {len(found):,} {'photo' if len(found) == 1 else 'photos'}")
    for note in found.notes:
        say(note)
    tell_problems(found)
    return found
