"""`seethrough explain`: the arithmetic behind one activation, in the terminal."""

import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from seethrough.cli import options

if TYPE_CHECKING:
    from seethrough.classifier import Classifier
    from seethrough.explain.layer import TracedLayer
    from seethrough.explain.trace import Trace
    from seethrough.runs.folder import Run


class _Cell(click.ParamType[tuple[int, int]]):
    """ROW,COLUMN: a place in a map, both from 0."""

    name = "ROW,COLUMN"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> tuple[int, int]:
        """Two whole numbers."""
        found = re.fullmatch(r"\s*(\d{1,6})\s*,\s*(\d{1,6})\s*", str(value))
        if found is None:
            self.fail(f"{value!r} is not ROW,COLUMN: two whole numbers from 0, such as 10,12.")
        return int(found[1]), int(found[2])


@click.command("explain", short_help="The arithmetic behind one value in the network.")
@options.run
@click.argument("photo", metavar="PHOTO")
@click.option("--layer", metavar="NAME", help="Which layer; without it, all are listed.")
@click.option("--unit", type=click.IntRange(min=0), metavar="K", help="Which unit, from 0.")
@click.option("--at", type=_Cell(), help="Which cell of the unit's map, from 0,0.")
@options.runs_dir
@options.as_json
def command(
    run: str,
    photo: str,
    layer: str | None,
    unit: int | None,
    at: tuple[int, int] | None,
    runs_dir: Path | None,
    *,
    as_json: bool,
) -> None:
    """Show the equation behind one activation: every product, the sum, what comes after.

    \b
    seethrough explain last cup.jpg
    seethrough explain last cup.jpg --layer conv2 --unit 3 --at 10,12

    PHOTO is a file, or the id of a photo of the run's data set, such as t12. Without --layer all
    layers are listed; without --unit or --at the unit or the cell with the largest value is taken.

    --json prints one equation: kind, layer, unit, row, column, terms (each channel, row, column,
    input, weight, product and their shown digits), channels, bias, sum, steps, activation,
    framework, difference, relative_difference, adds_up and more; without --layer: photo, label,
    probability, layers (each name, kind, text, shape, minimum, maximum).
    """
    from seethrough.cli.terminal import print_json, print_text, say
    from seethrough.runs.folder import open_run

    if layer is None and (unit is not None or at is not None):
        raise click.UsageError("--unit and --at belong to a layer: name it with --layer.")
    opened = open_run(run, options.runs_folder(runs_dir))
    classifier = opened.classifier
    trace = _trace(opened, classifier, photo)
    if layer is None:
        _list_layers(trace, classifier, photo, as_json=as_json)
        return
    if (unit is None or at is None) and trace.layer(layer).known:
        unit, at = _strongest(trace.layer(layer), unit, at)
    row, column = at or (None, None)
    equation = trace.equation(layer, unit=unit or 0, row=row, column=column)
    if as_json:
        print_json(equation.to_dict())
        return
    print_text(str(equation))
    if not equation.adds_up:
        say("These digits do not add up: please report it.")


def _trace(run: "Run", classifier: "Classifier", photo: str) -> "Trace":
    """The photo in that file, or of that id, through the network."""
    found = re.fullmatch(r"t(\d{1,9})", photo)
    if found is None or Path(photo).exists():
        return classifier.trace(photo)
    from seethrough.data.load import original
    from seethrough.errors import DataError

    dataset, index = run.dataset(), int(found[1])
    if index >= len(dataset):
        raise DataError(
            f"There is no photo {photo}.",
            why=f"the data set of {run.id} has {len(dataset):,} photos: t0 to t{len(dataset) - 1}.",
            fix="name one of them, or give the path of a file.",
        )
    return classifier.trace(original(dataset, index), name=dataset.paths[index])


def _strongest(
    layer: "TracedLayer", unit: int | None, at: tuple[int, int] | None
) -> tuple[int | None, tuple[int, int] | None]:
    """What was not named, where the layer's value is largest."""
    output = layer.output
    if unit is not None and unit >= len(output):
        return unit, at  # `equation` says what is wrong with it
    if output.ndim == 1:
        return int(output.argmax()) if unit is None else unit, at
    if at is not None:
        inside = at[0] < output.shape[1] and at[1] < output.shape[2]
        return (int(output[:, at[0], at[1]].argmax()) if inside else 0), at
    if unit is None:
        unit = int(output.max(axis=(1, 2)).argmax())
    return unit, divmod(int(output[unit].argmax()), output.shape[2])


def _list_layers(trace: "Trace", classifier: "Classifier", photo: str, *, as_json: bool) -> None:
    from seethrough.cli.terminal import print_json, print_table, print_text, say

    best = int(trace.probabilities.argmax())
    label, probability = classifier.classes[best], float(trace.probabilities[best])
    layers = [
        {
            "name": layer.name,
            "kind": layer.kind,
            "text": layer.text,
            "shape": list(layer.output.shape),
            "minimum": float(layer.output.min()),
            "maximum": float(layer.output.max()),
        }
        for layer in trace.layers
    ]
    if as_json:
        print_json({"photo": photo, "label": label, "probability": probability, "layers": layers})
        return
    print_text(f"{photo}: {label}, {100 * probability:.1f} %\n")
    rows = [
        (
            layer.name,
            layer.text,
            " × ".join(str(size) for size in layer.output.shape),
            f"{layer.output.min():.4g}",
            f"{layer.output.max():.4g}",
        )
        for layer in trace.layers
    ]
    print_table(("layer", "what it is", "output", "smallest", "largest"), rows, right=(2, 3, 4))
    say("\nThe arithmetic behind one value: add --layer NAME --unit K --at ROW,COLUMN.")
