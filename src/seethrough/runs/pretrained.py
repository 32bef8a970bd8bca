"""Networks that others published, to begin with (`--from hf:OWNER/NAME`, `--from hf:./folder`).

Their own mean and deviation become the numbers of `normalise`, so that every photo is standardised
as those were that they learned from. Their configuration becomes the network's text, their weights
lie in the new run's folder: nothing is asked of the hub again. Raises what `model.hub` raises.
"""

import dataclasses
import difflib
import hashlib
import re
from functools import partial
from pathlib import Path

from torch import nn

from seethrough.errors import RunError
from seethrough.model.build import Normalise
from seethrough.model.coded import ModuleSpec, Origin
from seethrough.model.hub import architecture
from seethrough.model.hub.preprocessing import FILE, Preprocessing, preprocessing
from seethrough.model.hub.snapshot import (
    CONFIG,
    Progress,
    Snapshot,
    is_reference,
    snapshot,
    weights,
)
from seethrough.model.reference import joined
from seethrough.runs.folder import Run, open_run
from seethrough.runs.manifest import Published
from seethrough.runs.shipped import SHIPPED, shipped
from seethrough.runs.start import Source


def source(
    start: Run | str,
    runs_dir: Path | None = None,
    *,
    code: str | None = None,
    image_px: int | None = None,
    progress: Progress | None = None,
) -> Source:
    """What to begin with: a run, the shipped network or the run of this name, or a published one.

    `image_px` takes a published network at another size than its own; `progress` hears of what is
    fetched. Both mean nothing to the others.
    """
    if isinstance(start, Run):
        return Source.of_run(start)
    if start in SHIPPED:
        return shipped(start)
    if is_reference(start):
        return published(start, image_px=image_px, progress=progress)
    _refuse_library(start)
    try:
        return Source.of_run(open_run(start, runs_dir, code=code))
    except RunError as error:
        for near in difflib.get_close_matches(start.lower(), SHIPPED, n=1, cutoff=0.8):
            fix = f"the network that comes with the program is {near}: --from {near}."
            raise RunError(error.what, why=error.why, fix=fix) from error
        raise


_LIBRARIES = {"timm", "torchvision", "torch", "keras"}


def _refuse_library(start: str) -> None:
    library, colon, name = start.partition(":")
    if colon and library in _LIBRARIES:
        raise RunError(
            f"A training cannot begin with {start}.",
            why=f"networks of {library} are not read by their name; those of hf: are.",
            fix=f"see whether it is published as hf:OWNER/{name or 'NAME'} for the transformers "
            "library, with safetensors weights; or write a function that returns it: "
            "--model nets.py:make.",
        )


def published(
    reference: str, *, image_px: int | None = None, progress: Progress | None = None
) -> Source:
    """A published network: its files are here afterwards, and its weights were read once.

    So whatever is wrong with them is said before a photo is read. They are read again when asked
    for, instead of being held in memory meanwhile.
    """
    found = snapshot(reference, progress)
    stored = found.fields(CONFIG)
    text = architecture.text_of(stored, found.name)
    wanted = preprocessing(found.fields(FILE), found.name)
    if image_px is not None:
        wanted = dataclasses.replace(wanted, image_px=image_px)
    network = ModuleSpec(
        name=_short(found.name),
        image_px=wanted.image_px,
        text=found.reference,
        origin=Origin.HF,
        source=text,
        source_sha256=hashlib.sha256(text.encode()).hexdigest(),
    )
    classes = architecture.classes_of(stored, found.name)
    weights(found, progress)
    module = partial(_loaded, found, text, len(classes), wanted)
    module()
    return Source(
        id=found.reference,
        network=network,
        buildable=lambda: network,
        classes=classes,
        module=module,
        published=Published(
            revision=found.revision,
            licence=found.licence(),
            mean=wanted.mean,
            std=wanted.std,
        ),
    )


def told(source: Source) -> tuple[str, ...]:
    """A sentence about weights that others published, for who begins with them."""
    if source.published is None:
        return ()
    known = source.published
    mean, std = (", ".join(f"{value:.4g}" for value in each) for each in (known.mean, known.std))
    revision = "from a folder" if known.revision is None else f"revision {known.revision[:12]}"
    return (
        f"Weights of {source.id.partition('@')[0]}, {revision}, licence "
        f"{known.licence or 'not named'}; photos are standardised as its own were: mean {mean}, "
        f"deviation {std} of pixel / 255.",
    )


def _loaded(found: Snapshot, text: str, num_classes: int, wanted: Preprocessing) -> nn.Sequential:
    module = architecture.load(found.folder, text, num_classes, found.name)
    return joined(Normalise(wanted.mean, wanted.std), module).eval()


def _short(name: str) -> str:
    """resnet-18, of hf:microsoft/resnet-18 or of a folder."""
    last = name.rstrip("/").rpartition("/")[2]
    return re.sub(r"[\x00-\x1f\x7f]", "?", last)[:100] or "hf"
