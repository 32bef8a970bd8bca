"""`seethrough train`: from a folder of photos to a trained network."""

from pathlib import Path

import click

from seethrough.cli import options


@click.command("train", short_help="Train a network on a folder of photos.")
@click.argument("folder", required=False)
@click.option(
    "--model",
    metavar="NETWORK",
    help="A ready one (demo, resnet-18, ...), layers, a .toml, or nets.py:make.",
)
@click.option("--from", "start", metavar="RUN", help="Begin with this run's network and weights.")
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
@click.option("--resume", metavar="RUN", help="Go on with a run that was stopped.")
@options.runs_dir
@options.as_json
def command(
    folder: str | None,
    model: str | None,
    start: str | None,
    image_px: int | None,
    epochs: int | None,
    minutes: float | None,
    seed: int | None,
    recipe: Path | None,
    resume: str | None,
    runs_dir: Path | None,
    *,
    as_json: bool,
) -> int:
    """Train a network on FOLDER: one sub-folder a class, a zip of that, or "everyday".

    \b
    seethrough train photos/ --epochs 20 --seed 7
    seethrough train photos/ --minutes 5
    seethrough train photos/ --model "conv 8 k5 s2, relu, maxpool 2, flatten, dense"
    seethrough train photos/ --model nets.py:make      a function of your own
    seethrough train photos/ --from amber-heron        with what that run learned
    seethrough train --resume last

    Ctrl-C stops and saves; --resume goes on where it was, as if it had not been stopped.

    --json prints run, test_accuracy, test_interval [low, high], train_seconds, epochs and
    weights_sha256 (nothing when stopped: the exit code is 130 then).
    """
    named = _unless_code(model)
    if resume is not None:
        _refuse_more((folder, named, start, image_px, epochs, minutes, seed, recipe))
        return _resume(resume, code=model, runs_dir=runs_dir, as_json=as_json)
    if folder is None:
        raise click.UsageError(_FOLDER)
    if None not in (minutes, epochs):
        raise click.UsageError(_MINUTES)
    if start is not None and (named, image_px) != (None, None):
        raise click.UsageError(_FROM)
    return _train(
        folder,
        model=model,
        start=start,
        image_px=image_px,
        recipe_file=recipe,
        changes={"epochs": epochs, "seed": seed},
        minutes=minutes,
        runs_dir=runs_dir,
        as_json=as_json,
    )


_FOLDER = (
    "FOLDER is missing: one sub-folder of photos a class, or a zip of that. "
    "Without photos at hand: seethrough train everyday."
)

_MINUTES = "--minutes chooses the number of epochs, and --epochs gives it: leave one of them out."

_FROM = (
    "--from begins with the network and the image size of that run. Leave --model and "
    "--image-px out. (Only a function of your own may be named again with --model.)"
)


def _refuse_more(others: tuple[object, ...]) -> None:
    if any(given is not None for given in others):
        raise click.UsageError(
            "--resume goes on with the photos, the network and the recipe that the run was "
            "started with. Leave the others out, or start a new run without --resume. (Only "
            "a function of your own, nets.py:make, may be named again with --model.)"
        )


def _train(
    folder: str,
    *,
    model: str | None,
    start: str | None,
    image_px: int | None,
    recipe_file: Path | None,
    changes: dict[str, int | None],
    minutes: float | None,
    runs_dir: Path | None,
    as_json: bool,
) -> int:
    from seethrough.cli.choice import Asked, choice
    from seethrough.cli.loading import load_photos
    from seethrough.cli.terminal import say
    from seethrough.cli.training import train_here
    from seethrough.model.presets import asked_for
    from seethrough.runs.creation import create
    from seethrough.runs.folder import open_run
    from seethrough.train.recipe import Recipe

    begun = None
    if start is not None:
        begun = open_run(start, options.runs_folder(runs_dir), code=model)
        image_px, model = begun.manifest.network.image_px, None
    early = None if model is None else asked_for(model, image_px)  # before a photo is read
    stored = None if recipe_file is None else Recipe.read(recipe_file)
    if early is not None and image_px is None and _has_own_size(model):
        image_px = early.image_px
    dataset = load_photos(folder, image_px=image_px, is_quiet=as_json)
    spec = asked_for(model or "demo", dataset.image_px) if begun is None else begun.buildable
    asked = Asked(
        network=start is not None or model is not None,
        recipe=stored,
        changes={name: value for name, value in changes.items() if value is not None},
        minutes=minutes,
    )
    recipe, told = choice(dataset, spec, asked, is_quiet=as_json)
    run = create(dataset, spec, recipe, runs_dir=options.runs_folder(runs_dir), start=begun)
    if not as_json:
        learned = "" if begun is None else f" with the weights of {begun.id}"
        said = f"{spec.name}{learned}, {recipe.epochs} epochs"
        say(f"Training {run.id}: {said}. Ctrl-C stops and saves.")
    return train_here(run, dataset, runs_dir=runs_dir, as_json=as_json, said=told)


def _has_own_size(model: str | None) -> bool:
    """Texts and files say for which images they were made; layers alone and code do not."""
    from seethrough.model.presets import PRESETS

    return model is not None and (model in PRESETS or model.endswith(".toml"))


def _unless_code(model: str | None) -> str | None:
    from seethrough.model.source import is_reference

    return None if model is not None and is_reference(model) else model


def _resume(reference: str, *, code: str | None, runs_dir: Path | None, as_json: bool) -> int:
    from seethrough.cli.terminal import say
    from seethrough.cli.training import train_here
    from seethrough.runs.folder import open_run

    run = open_run(reference, options.runs_folder(runs_dir), code=code)
    summary = run.summary
    if not as_json:
        say(f"Going on with {run.id} after epoch {summary.epoch} of {summary.epochs}.")
    return train_here(run, run.dataset(), runs_dir=runs_dir, as_json=as_json)
