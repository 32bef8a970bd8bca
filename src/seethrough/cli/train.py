"""`seethrough train`: from a folder of photos to a trained network."""

from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import click

from seethrough.cli import options
from seethrough.cli.together import shared, taking_part

if TYPE_CHECKING:
    from seethrough.data.dataset import Dataset
    from seethrough.model.coded import Network
    from seethrough.runs.start import Source
    from seethrough.train.parallel import World
    from seethrough.train.place import Place
    from seethrough.train.recipe import Recipe


@click.command("train", short_help="Train a network on a folder of photos.")
@click.argument("folder", required=False)
@click.option(
    "--model",
    metavar="NETWORK",
    help="A ready one (demo, resnet-18, ...), layers, a .toml, or nets.py:make.",
)
@click.option(
    "--from",
    "start",
    metavar="RUN",
    help="Begin with this run's weights, cifar10, or hf:OWNER/NAME.",
)
@click.option("--labels", metavar="CSV", help="A CSV that says what each photo shows.")
@click.option("--image-px", type=click.IntRange(8, 512), metavar="N", help="Side of the images.")
@click.option("--epochs", type=click.IntRange(min=1), metavar="N", help="Times through the photos.")
@click.option(
    "--minutes",
    type=click.FloatRange(min=0, min_open=True, max=100_000),
    metavar="N",
    help="Instead of --epochs: as many as take so long here.",
)
@options.seed
@click.option(
    "--recipe",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    metavar="FILE",
    help="A TOML file with everything else: batch, peak_lr, ...",
)
@click.option(
    "--precision",
    type=click.Choice(["float32", "bfloat16"]),
    metavar="TYPE",
    help="Multiply in float32 or bfloat16; else in what is quicker here.",
)
@options.threads
@options.device
@click.option("--find-lr", is_flag=True, help="Only try learning rates; write nothing.")
@click.option("--resume", metavar="RUN", help="Go on with a run that was stopped.")
@options.runs_dir
@options.as_json
def command(
    folder: str | None,
    model: str | None,
    start: str | None,
    labels: str | None,
    image_px: int | None,
    epochs: int | None,
    minutes: float | None,
    seed: int | None,
    recipe: Path | None,
    precision: str | None,
    threads: int | None,
    device: str | None,
    resume: str | None,
    runs_dir: Path | None,
    *,
    find_lr: bool,
    as_json: bool,
) -> int:
    """Train a network on FOLDER: one sub-folder a class, a zip of that, or "everyday".

    \b
    seethrough train photos/ --epochs 20 --seed 7      or --minutes 5
    seethrough train photos/ --labels labels.csv       several labels a photo: file,labels with |
    seethrough train photos/ --model "conv 8 k5 s2, relu, flatten, dense"      or nets.py:make
    seethrough train photos/ --from amber-heron        with what that run learned; or cifar10
    seethrough train photos/ --from hf:OWNER/NAME      with what others published
    seethrough train photos/ --find-lr                 which learning rates it bears
    seethrough train --resume last

    Ctrl-C stops and saves; --resume goes on where it was, as if it had not been stopped. Other
    --threads, or another --device, than before may change last digits.

    --json prints run, test_accuracy, test_interval [low, high], train_seconds, epochs, steered and
    weights_sha256 (nothing when stopped); with --find-lr steepest, diverged, suggested and trials.
    """
    named, place = _unless_code(model), options.place(threads, device)
    changes = _given_only(epochs=epochs, seed=seed, precision=precision)
    if resume is not None:
        _refuse_more(folder, named, start, labels, image_px, recipe, minutes, find_lr, *changes)
        resumed = _Resumed(resume, model, place, device, runs_dir)
        return taking_part(partial(_resume, resumed, as_json=as_json), code=model)
    if folder is None:
        raise click.UsageError(_FOLDER)
    _refuse_pairs(start, named, image_px, epochs, minutes, find_lr=find_lr)
    given = _Given(folder, labels, model, start, image_px, recipe, place, runs_dir)
    if find_lr:
        return _find_lr(given, changes=changes, as_json=as_json)
    lead = partial(_train, given, changes=changes, minutes=minutes, as_json=as_json)
    return taking_part(lead, code=model)


def _given_only(**values: int | str | None) -> dict[str, int | str]:
    return {name: value for name, value in values.items() if value is not None}


@dataclass(frozen=True, slots=True)
class _Given:
    """What to learn from, with what, as on the command line."""

    folder: str
    labels: str | None
    model: str | None
    start: str | None
    image_px: int | None
    recipe_file: Path | None
    place: "Place | None"
    runs_dir: Path | None


@dataclass(frozen=True, slots=True)
class _Resumed:
    """What to go on with, and how."""

    reference: str
    code: str | None
    place: "Place | None"
    device: str | None
    runs_dir: Path | None


_FOLDER = (
    "FOLDER is missing: one sub-folder of photos a class, or a zip of that. "
    "Without photos at hand: seethrough train everyday."
)

_MINUTES = "--minutes chooses the number of epochs, and --epochs gives it: leave one of them out."

_FIND = (
    "--find-lr takes some steps on an untrained network and throws it away. Leave --from, "
    "--epochs and --minutes out."
)

_FROM = (
    "--from begins with the network and the image size of that run. Leave --model and "
    "--image-px out. (Only a function of your own may be named again with --model, and only "
    "a published network, hf:…, may have another size.)"
)


def _refuse_more(*others: object) -> None:
    if any(given is not None and given is not False for given in others):
        raise click.UsageError(
            "--resume goes on with the photos, the network and the recipe that the run was "
            "started with. Leave the others out, or start a new run without --resume. (Only "
            "a function of your own, nets.py:make, may be named again with --model.)"
        )


def _refuse_pairs(
    start: str | None,
    named: str | None,
    image_px: int | None,
    epochs: int | None,
    minutes: float | None,
    *,
    find_lr: bool,
) -> None:
    if None not in (minutes, epochs):
        raise click.UsageError(_MINUTES)
    if start is not None and (named, None if _is_published(start) else image_px) != (None, None):
        raise click.UsageError(_FROM)
    if find_lr and (start, epochs, minutes) != (None, None, None):
        raise click.UsageError(_FIND)


def _prepared(
    given: _Given, *, is_quiet: bool
) -> "tuple[Dataset, Network, Recipe | None, Source | None]":
    """Photos, network, the recipe of the file, and what to begin with."""
    from seethrough.cli.loading import load_photos
    from seethrough.model.presets import asked_for
    from seethrough.train.recipe import Recipe

    model, image_px, begun = given.model, given.image_px, None
    if given.start is not None:
        begun = _source(given, given.start)
        image_px, model = begun.network.image_px, None
    early = None if model is None else asked_for(model, image_px)  # before a photo is read
    stored = None if given.recipe_file is None else Recipe.read(given.recipe_file)
    if early is not None and image_px is None and _has_own_size(model):
        image_px = early.image_px
    dataset = load_photos(given.folder, labels=given.labels, image_px=image_px, is_quiet=is_quiet)
    spec = asked_for(model or "demo", dataset.image_px) if begun is None else begun.buildable()
    return dataset, spec, stored, begun


def _source(given: _Given, start: str) -> "Source":
    """What to begin with; how much of it is here is shown while it is fetched."""
    from seethrough.cli.loading import fetching_bar
    from seethrough.runs.pretrained import source

    folder = options.runs_folder(given.runs_dir)
    with fetching_bar() as shown:
        return source(start, folder, code=given.model, image_px=given.image_px, progress=shown)


def _train(
    given: _Given,
    world: "World | None",
    *,
    changes: dict[str, int | str],
    minutes: float | None,
    as_json: bool,
) -> int:
    from seethrough.cli.choice import Asked, choice
    from seethrough.cli.progress import epochs_of
    from seethrough.cli.terminal import say
    from seethrough.cli.training import train_here
    from seethrough.runs.creation import create
    from seethrough.runs.pretrained import told as told_of

    dataset, spec, stored, begun = _prepared(given, is_quiet=as_json)
    asked = Asked(
        network=(given.start, given.model) != (None, None),
        recipe=stored,
        changes=changes,
        minutes=minutes,
        place=given.place,
    )
    # What one process alone would take is of no use to several.
    recipe, told = choice(dataset, spec, asked, is_quiet=as_json or world is not None)
    recipe, more = shared(recipe, world)
    more = (*(() if begun is None else told_of(begun)), *more)
    folder = options.runs_folder(given.runs_dir)
    run = create(dataset, spec, recipe, runs_dir=folder, place=given.place, start=begun)
    if not as_json:
        learned = "" if begun is None else f" with the weights of {begun.id.partition('@')[0]}"
        said = f"{spec.name}{learned}, {epochs_of(recipe.epochs)}"
        say("\n".join((*more, f"Training {run.id}: {said}. Ctrl-C stops and saves.")))
    told = (*told, *more)
    return train_here(
        run,
        dataset,
        runs_dir=given.runs_dir,
        place=given.place,
        as_json=as_json,
        said=told,
        world=world,
    )


def _find_lr(given: _Given, *, changes: dict[str, int | str], as_json: bool) -> int:
    from seethrough.cli.choice import Asked, suited
    from seethrough.cli.rates import find_rate

    dataset, spec, stored, _ = _prepared(given, is_quiet=as_json)
    asked = Asked(network=False, recipe=stored, changes=changes, minutes=None, place=given.place)
    recipe = suited(dataset, spec, asked)
    return find_rate(dataset, spec, recipe, place=given.place, as_json=as_json)


def _is_published(start: str) -> bool:
    return start.startswith("hf:")


def _has_own_size(model: str | None) -> bool:
    """Texts and files say for which images they were made; layers alone and code do not."""
    from seethrough.model.presets import PRESETS

    return model is not None and (model in PRESETS or model.endswith(".toml"))


def _unless_code(model: str | None) -> str | None:
    from seethrough.model.source import is_reference

    return None if model is not None and is_reference(model) else model


def _resume(given: _Resumed, world: "World | None", *, as_json: bool) -> int:
    from seethrough.cli.terminal import say
    from seethrough.cli.training import train_here
    from seethrough.runs.creation import recorded_place
    from seethrough.runs.folder import open_run

    run = open_run(given.reference, options.runs_folder(given.runs_dir), code=given.code)
    summary = run.summary
    if not as_json:
        say(f"Going on with {run.id} after epoch {summary.epoch} of {summary.epochs}.")
    place = given.place
    if place is None and given.device is not None:
        place = replace(recorded_place(run.manifest.environment), device=given.device)
    return train_here(
        run, run.dataset(), runs_dir=given.runs_dir, place=place, as_json=as_json, world=world
    )
