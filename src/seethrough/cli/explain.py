"""`seethrough explain`: the arithmetic behind one activation, in the terminal."""

import re
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from seethrough.cli import options

if TYPE_CHECKING:
    import numpy as np
    from jaxtyping import Float32

    from seethrough.classifier import Classifier
    from seethrough.explain.backward import Backward
    from seethrough.explain.equation import Equation
    from seethrough.explain.trace import Trace
    from seethrough.learning.check import GradientCheck
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


class _Place(click.ParamType[tuple[int, ...]]):
    """I,J,…: a place in a parameter, one number for each of its axes, from 0."""

    name = "I,J,…"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> tuple[int, ...]:
        """Whole numbers."""
        if re.fullmatch(r"\s*\d{1,6}(\s*,\s*\d{1,6}){0,4}\s*", str(value)) is None:
            self.fail(f"{value!r} is not I,J,…: whole numbers from 0, such as 3,0,1,1.")
        return tuple(int(number) for number in str(value).split(","))


@click.command("explain", short_help="The arithmetic behind one value in the network.")
@options.run
@click.argument("photo", metavar="PHOTO")
@click.option("--layer", metavar="NAME", help="Which layer; without it, all are listed.")
@click.option("--unit", type=click.IntRange(min=0), metavar="K", help="Which unit, from 0.")
@click.option("--at", type=_Cell(), help="Which cell of the unit's map, from 0,0.")
@click.option("--gradient", is_flag=True, help="Backwards: the gradient of the loss there.")
@click.option("--weight", type=_Place(), help="Backwards: the gradient of this weight's number.")
@click.option("--bias", type=_Place(), help="Backwards: the gradient of this bias.")
@click.option("--check", is_flag=True, help="And try it: move that weight or bias a little.")
@click.option("--label", metavar="CLASS", help="Backwards: the true class of the photo.")
@options.runs_dir
@options.as_json
def command(
    run: str,
    photo: str,
    layer: str | None,
    unit: int | None,
    at: tuple[int, int] | None,
    weight: tuple[int, ...] | None,
    bias: tuple[int, ...] | None,
    label: str | None,
    runs_dir: Path | None,
    *,
    gradient: bool,
    check: bool,
    as_json: bool,
) -> None:
    """Show the equation behind one activation: every product, the sum, what comes after.

    \b
    seethrough explain last cup.jpg
    seethrough explain last cup.jpg --layer conv2 --unit 3 --at 10,12
    seethrough explain last cup.jpg --layer relu2 --unit 3 --at 10,12 --gradient --label cup
    seethrough explain last cup.jpg --layer conv2 --weight 3,0,1,1 --label cup --check

    PHOTO is a file, or the id of a photo of the run's data set, such as t12. Without --layer all
    layers are listed; without --unit or --at the unit or the cell with the largest value is taken.
    Backwards the loss is -log of the probability of --label, for a photo of the data set of its own
    class (several labels: "cat|dog"); --weight takes unit,channel,row,column (dense: unit,input),
    --bias the unit. --check moves that number and holds the loss's slope against autograd's.

    --json prints one equation: kind, layer, unit, row, column, terms (each channel, row, column,
    input, weight, product and their shown digits), channels, bias, sum, steps, activation,
    framework, difference, relative_difference, adds_up and more, with --check also check; without
    --layer: photo, label, probability, layers (each name, kind, text, shape, minimum, maximum).
    """
    from seethrough.runs.folder import open_run

    asked = _Asked(layer or "", unit, at, weight, bias, goes_back=gradient, is_tried=check)
    opened = open_run(run, options.runs_folder(runs_dir))
    content, name, own = _photo(opened, photo)
    if layer is None:
        trace = opened.classifier.trace(content, name=name)
        _list_layers(trace, opened.classifier, photo, as_json=as_json)
    elif not asked.is_backward:
        _print(_forward(opened.classifier.trace(content, name=name), asked), as_json=as_json)
    elif (truth := label or own) is None:
        raise click.UsageError("Name the photo's true class with --label: it makes the loss.")
    else:
        back = opened.classifier.backward(content, truth, name=name)
        tried = _tried(opened.classifier, content, truth, asked, name) if check else None
        _print(_backward(back, asked), tried, as_json=as_json)


def _print(equation: "Equation", tried: "GradientCheck | None" = None, *, as_json: bool) -> None:
    from seethrough.cli.terminal import print_json, print_text, say

    if as_json:
        print_json(equation.to_dict() | ({} if tried is None else {"check": asdict(tried)}))
        return
    print_text(str(equation) + ("" if tried is None else f"\n\n{tried}"))
    if not equation.adds_up:
        say("These digits do not add up: please report it.")


@dataclass(frozen=True, slots=True)
class _Asked:
    """Which number; what was not named is chosen. Without a layer: all are listed."""

    layer: str
    unit: int | None
    at: tuple[int, int] | None
    weight: tuple[int, ...] | None
    bias: tuple[int, ...] | None
    goes_back: bool
    is_tried: bool

    @property
    def is_backward(self) -> bool:
        """Whether a gradient was asked for."""
        return self.goes_back or self.weight is not None or self.bias is not None

    def __post_init__(self) -> None:
        """One number of one layer; raises UsageError."""
        parts = (self.weight, self.bias, self.at if not self.goes_back else True)
        if not self.layer and (self.is_backward or self.unit is not None or self.at is not None):
            raise click.UsageError("Numbers belong to a layer: name it with --layer.")
        if sum(part is not None for part in parts) > 1:
            raise click.UsageError("Ask for one: --at, --gradient, --weight or --bias.")
        if self.is_tried and self.weight is None and self.bias is None:
            raise click.UsageError(
                "--check moves a learned number: name it with --weight or --bias."
            )


def _forward(trace: "Trace", asked: _Asked) -> "Equation":
    unit, at = asked.unit, asked.at
    if (unit is None or at is None) and trace.layer(asked.layer).known:
        unit, at = _strongest(trace.layer(asked.layer).output, unit, at)
    return trace.equation(asked.layer, unit or 0, *(at or (None, None)))


def _backward(back: "Backward", asked: _Asked) -> "Equation":
    if asked.weight is not None:
        return back.parameter_equation(asked.layer, "weight", *asked.weight)
    if asked.bias is not None:
        return back.parameter_equation(asked.layer, "bias", *asked.bias)
    unit, at = asked.unit, asked.at
    if unit is None or at is None:
        unit, at = _strongest(abs(back.gradient(asked.layer)), unit, at)
    return back.equation(asked.layer, unit or 0, *(at or (None, None)))


def _tried(
    classifier: "Classifier", photo: str | bytes, label: str, asked: _Asked, name: str | None
) -> "GradientCheck":
    part, index = ("weight", asked.weight) if asked.weight is not None else ("bias", asked.bias)
    layer = re.sub(r":\d+$", "", asked.layer)  # used twice, it has one weight
    return classifier.gradient_check(photo, label, f"{layer}.{part}", *(index or ()), name=name)


def _photo(run: "Run", photo: str) -> tuple[str | bytes, str | None, str | None]:
    """In that file, or of that id: its path or bytes, its name, its own class if that is known."""
    found = re.fullmatch(r"t(\d{1,9})", photo)
    if found is None or Path(photo).exists():
        return photo, None, None
    from seethrough.data.load import original
    from seethrough.data.sheet import SEPARATOR
    from seethrough.errors import DataError

    dataset, index = run.dataset(), int(found[1])
    if index >= len(dataset):
        raise DataError(
            f"There is no photo {photo}.",
            why=f"the data set of {run.id} has {len(dataset):,} photos: t0 to t{len(dataset) - 1}.",
            fix="name one of them, or give the path of a file.",
        )
    label = SEPARATOR.join(dataset.shown(index))
    return original(dataset, index), dataset.paths[index], label


def _strongest(
    output: "Float32[np.ndarray, '...']", unit: int | None, at: tuple[int, int] | None
) -> tuple[int | None, tuple[int, int] | None]:
    """What was not named, where the value is largest."""
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

    said = classifier.named(photo, trace.probabilities)
    label, probability = said.label, said.probability
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
    print_text(f"{said}\n")
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
