"""From the rooms' own results to the messages of `wire.py`, and to bytes."""

import dataclasses

import numpy as np
from fastapi import Response
from jaxtyping import Float32

from seethrough.data.split import Split
from seethrough.runs import steering
from seethrough.runs.folder import Run
from seethrough.runs.summary import Summary
from seethrough.serve import wire
from seethrough.serve.opened import Opened
from seethrough.version import __version__


class Floats(Response):
    """Little-endian float32."""

    media_type = "application/octet-stream"


class Picture(Response):
    """A picture that was decoded and written anew: nothing of the file's own bytes."""

    media_type = "image/png"


class Film(Response):
    """A sequence of pictures, to be saved: GIF or WebP, by the ending of its name."""

    media_type = "image/gif"


# A photo's id never names another photo; the policy is for a picture opened on a page of its own.
PICTURE_HEADERS = {
    "cache-control": "private, max-age=3600",
    "content-disposition": "inline",
    "content-security-policy": "default-src 'none'; sandbox",
}


def floats(array: Float32[np.ndarray, "..."]) -> Floats:
    """The array in C order, its shape in the header X-Shape."""
    content = np.ascontiguousarray(array, dtype="<f4").tobytes()
    return Floats(content, headers={"x-shape": ",".join(map(str, array.shape))})


def picture(png: bytes) -> Picture:
    """The picture as an answer that browsers may keep for a while."""
    return Picture(png, headers=PICTURE_HEADERS)


def film(content: bytes, name: str) -> Film:
    """A file under its name, whose ending says its kind."""
    kind = name.rpartition(".")[2]
    headers = {"content-disposition": f'attachment; filename="{name}"'}
    return Film(content, media_type=f"image/{kind}", headers=headers)


def window(summaries: list[Summary], opening: wire.OpeningMessage | None) -> wire.WindowMessage:
    """Session facts."""
    newest = summaries[0].id if summaries else None
    return wire.WindowMessage(
        version=__version__, runs=len(summaries), newest_run=newest, opening=opening
    )


def summary(found: Summary) -> wire.RunSummary:
    """One line of the list of runs."""
    return wire.RunSummary.model_validate(found.to_dict())


def opened(network: Opened) -> wire.OpenedMessage:
    """What is known of a network that is no run."""
    photos = network.photos
    return wire.OpenedMessage(
        id=network.id,
        name=network.name,
        origin=network.origin,
        graph=network.graph,
        classes=list(network.classes),
        image_px=network.image_px,
        parameters=network.parameters,
        weights_sha256=network.weights_sha256,
        photos=None
        if photos is None
        else wire.CollectionMessage(
            name=photos.name,
            source=photos.source,
            total=len(photos),
            labelled=sum(photo.label is not None for photo in photos.photos),
            problems=[
                wire.ProblemMessage.model_validate(dataclasses.asdict(problem))
                for problem in photos.problems
            ],
            notes=list(photos.notes),
        ),
    )


def detail(run: Run) -> wire.RunDetail:
    """Everything about a run but its log."""
    made = run.manifest.edited
    facts = dataclasses.asdict(run.manifest.dataset)
    facts.pop("plan")
    facts["images"] = [run.manifest.dataset.num_images(split) for split in Split]
    layers = [
        wire.LayerSize(
            name=size.name,
            kind=size.kind,
            text=size.text,
            shape=list(size.shape),
            parameters=size.parameters,
            receptive_field_px=size.reach,
        )
        for size in run.sizes
    ]
    return wire.RunDetail(
        summary=summary(run.summary),
        dataset=wire.DatasetMessage.model_validate(facts),
        network_text=run.manifest.network.text,
        layers=layers,
        parameters=sum(layer.parameters for layer in layers),
        recipe=run.manifest.recipe.to_dict(),
        environment=dict(run.manifest.environment),
        weights_sha256=_weights_sha256(run),
        watched=[f"t{index}" for index in run.manifest.watched],
        steering=[
            wire.TurnMessage(step=turn.step, rate_factor=turn.rate_factor)
            for turn in steering.turns(run.folder)
        ],
        edited=None
        if made is None
        else wire.EditedMessage(run=made.run, step=made.step, changes=list(made.changes)),
    )


def end(run: Run) -> wire.EndEvent | None:
    """The end of a run whose log does not tell it, from what the system's processes say."""
    found = run.summary
    if found.is_live:
        return None
    return wire.EndEvent(
        kind="end",
        state=found.state,
        epoch=found.epoch,
        train_seconds=found.train_seconds,
        test_accuracy=found.test_accuracy,
        weights_sha256=_weights_sha256(run),
        error=None,
    )


def _weights_sha256(run: Run) -> str | None:
    """Of the finished network, or of the newest checkpoint, as the log tells."""
    newest = None
    for _, event in run.log():
        newest = event.get("weights_sha256") or newest
    return newest
