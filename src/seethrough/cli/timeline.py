"""`seethrough timeline`: what a network was at every moment of its training."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from seethrough.cli import options

if TYPE_CHECKING:
    from seethrough.data.dataset import Dataset
    from seethrough.explain.timeline import Timeline
    from seethrough.runs.folder import Run

KINDS = (".gif", ".webp")
SHOWN = 5  # photos at either end of the list


class _FilmPath(click.Path):
    """A file whose name says what kind of film it is."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Only the kinds that can be written."""
        path = Path(str(super().convert(value, param, ctx)))
        if path.suffix.lower() not in KINDS:
            self.fail(f"{path.name!r} is no kind of film that is written: {' or '.join(KINDS)}.")
        return path


@click.command("timeline", short_help="When a network learned what, moment by moment.")
@options.run
@click.option("--photo", metavar="PHOTO", help="Whose film; without it a test photo's.")
@click.option(
    "--layer", metavar="NAME", help="Whose kernels and maps; else the first convolution's."
)
@click.option(
    "--to",
    "path",
    type=_FilmPath(dir_okay=False),
    metavar="FILE",
    help="Write a film of kernels, maps and probabilities: .gif or .webp.",
)
@options.runs_dir
@options.as_json
def command(
    run: str,
    photo: str | None,
    layer: str | None,
    path: Path | None,
    runs_dir: Path | None,
    *,
    as_json: bool,
) -> None:
    """Say when each test photo was learned and which units died; or write it as a film.

    A photo is learned at the step from which on it is always right. A unit is dead from the step
    from which on it is 0 in every cell of all photos. Up to 160 test photos are followed.

    --json prints run, steps, accuracy (of these photos, at each step), photos (each photo, label,
    learned) and died (each layer, unit, step); a film's path as film. A step is null where it has
    not come.
    """
    from seethrough.cli.terminal import print_json, say
    from seethrough.runs.folder import open_run

    opened = open_run(run, options.runs_folder(runs_dir))
    if path is not None:
        _write_film(opened, photo, layer, path)
        if not as_json:
            say(f"{path}: {len(opened.moments)} moments of {opened.id}.")
            return
    elif photo is not None or layer is not None:
        raise click.UsageError("--photo and --layer go with --to: they choose what a film shows.")
    told, dataset = opened.timeline(), opened.dataset()
    if as_json:
        print_json({**_plain(opened, told, dataset), "film": None if path is None else str(path)})
    else:
        _print(opened, told, dataset)


def _plain(run: "Run", told: "Timeline", dataset: "Dataset") -> dict[str, Any]:
    return {
        "run": run.id,
        "steps": list(told.steps),
        "accuracy": told.accuracy.tolist(),
        "photos": [
            {"photo": dataset.paths[photo], "label": dataset.classes[label], "learned": learned}
            for photo, label, learned in zip(told.photos, told.labels, told.learned, strict=True)
        ],
        "died": [
            {"layer": layer, "unit": unit, "step": step}
            for layer, units in told.died.items()
            for unit, step in enumerate(units)
            if step is not None
        ],
    }


def _print(run: "Run", told: "Timeline", dataset: "Dataset") -> None:
    from seethrough.cli.terminal import print_table, print_text

    epochs = {moment.step: moment.epoch for moment in run.moments}
    rows = [
        (f"{step:,}", str(epochs.get(step, "")), f"{100 * share:.1f} %", f"{learned}")
        for step, share in zip(told.steps, told.accuracy, strict=True)
        for learned in [sum(at is not None and at <= step for at in told.learned)]
    ]
    print_table(("step", "epoch", "right", "learned"), rows, right=(0, 1, 2, 3))
    known = [
        (learned, dataset.paths[photo])
        for photo, learned in zip(told.photos, told.learned, strict=True)
        if learned is not None
    ]
    known.sort()
    first = ", ".join(f"{path} at step {step:,}" for step, path in known[:SHOWN])
    last = ", ".join(f"{path} at step {step:,}" for step, path in known[-SHOWN:])
    missing = len(told.photos) - len(known)
    dead = sum(step is not None for units in told.died.values() for step in units)
    units = sum(map(len, told.died.values()))
    print_text(
        f"Of {len(told.photos)} test photos {len(known)} have been learned, {missing} not so far.\n"
        f"First: {first or 'none'}.\nLast: {last or 'none'}.\n"
        f"{dead} of {units} units behind a ReLU are dead at the newest moment."
    )


def _write_film(run: "Run", photo: str | None, layer: str | None, path: Path) -> None:
    from seethrough.draw.film import PER_SECOND, written
    from seethrough.runs import durable
    from seethrough.runs.film import film_of, frames

    if photo is not None:
        pixels, label = run.classifier.fitted(photo).pixels, None
    else:
        import numpy as np

        dataset = run.dataset()
        index = (*run.manifest.watched, 0)[0]
        pixels = np.array(dataset.images[index])
        label = dataset.classes[dataset.labels[index]]
    film = film_of(run, pixels, label, frames(run, pixels, layer))
    durable.write(path, written(film, kind=path.suffix[1:].lower(), per_second=PER_SECOND))
