"""`seethrough compare`: what the second of two runs learned differently."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from seethrough.cli import options

if TYPE_CHECKING:
    from seethrough.runs.comparison import Comparison, Disagreement

SHOWN = 5  # photos of each kind


class _Moment(click.ParamType[tuple[str, int | None]]):
    """RUN, or RUN@STEP: as it was at a moment."""

    name = "RUN[@STEP]"

    def convert(
        self, value: object, param: click.Parameter | None, ctx: click.Context | None
    ) -> tuple[str, int | None]:
        """Name and step; a folder may have an @ in its name where no number follows."""
        name, at, step = str(value).rpartition("@")
        return (name, int(step)) if at and step.isdecimal() else (str(value), None)


@click.command("compare", short_help="What the second run learned differently.")
@click.argument("first", metavar="RUN[@STEP]", type=_Moment())
@click.argument("second", metavar="RUN[@STEP]", type=_Moment())
@options.runs_dir
@options.as_json
def command(
    first: tuple[str, int | None],
    second: tuple[str, int | None],
    runs_dir: Path | None,
    *,
    as_json: bool,
) -> None:
    """Say what the second run learned differently from the first.

    RUN@STEP is a run as it was at one of its moments: two epochs of one run can be compared.

    --json prints first, second, settings, paired, disagreements, layers, alone, photos and notes.
    """
    from seethrough.cli.terminal import print_json
    from seethrough.runs.comparison import compare
    from seethrough.runs.folder import open_run

    folder = options.runs_folder(runs_dir)
    found = compare(
        open_run(first[0], folder),
        open_run(second[0], folder),
        first_step=first[1],
        second_step=second[1],
    )
    if as_json:
        print_json(found.to_dict())
    else:
        _print(found)


def _print(found: "Comparison") -> None:
    from seethrough.cli.terminal import print_text

    _score(found)
    for part in (_settings, _photos, _layers):
        part(found)
    for note in found.notes:
        print_text(f"! {note}")


def _score(found: "Comparison") -> None:
    from rich.text import Text

    from seethrough.cli.terminal import draw, print_table, printable

    names = _names(found)
    text, paired = Text(), found.paired
    if paired is not None:
        low, high = (_points(end) for end in paired.interval)
        text.append(f"{_points(paired.difference)} points", style="bold")
        text.append(f" for {printable(names[1])} on the same {paired.images:,} photos\n")
        text.append(
            f"95 % sure that it lies between {low} and {high}; as uneven by chance alone "
            f"(McNemar's exact test): {_probability(paired.p_value)}\n",
            style="dim",
        )
        text.append(f"{_verdict(found)}\n", style="bold")
        draw(text)
    costs = found.first.cost, found.second.cost
    rows = [
        ("right on test photos", *(_share(share) for share in paired.accuracy)) if paired else None,
        ("training", *(_duration(cost.train_seconds) for cost in costs)),
        ("epochs × photos", *(f"{cost.epochs} × {cost.train_images:,}" for cost in costs)),
        ("learned numbers", *(f"{cost.parameters:,}" for cost in costs)),
        ("multiply-adds a photo", *(f"{cost.multiply_adds:,}" for cost in costs)),
    ]
    print_table(("", *names), [row for row in rows if row], right=(1, 2))


def _verdict(found: "Comparison") -> str:
    from seethrough.cli.terminal import printable

    paired = found.paired
    assert paired is not None
    if not paired.differs:
        return "So many photos cannot tell which of the two is better."
    better = _names(found)[1 if paired.difference > 0 else 0]
    return f"{printable(better)} is better, and not by chance."


def _settings(found: "Comparison") -> None:
    from seethrough.cli.terminal import print_table, print_text

    if not found.settings:
        print_text("\nBoth were told exactly the same.")
        return
    print_text("\nWhat they were told differently")
    rows = [
        (setting.subject, setting.name, _value(setting.first), _value(setting.second))
        for setting in found.settings
    ]
    print_table(("", "", *_names(found)), rows)


def _photos(found: "Comparison") -> None:
    from seethrough.cli.terminal import print_table, print_text

    if found.paired is None:
        return
    names, paired = _names(found), found.paired
    print_text(
        f"\nBoth right: {paired.both:,}. Neither: {paired.neither:,}, of these the same wrong "
        f"class: {paired.neither_agrees:,}."
    )
    for right, name, count in (
        ("second", names[1], paired.only_second),
        ("first", names[0], paired.only_first),
    ):
        print_text(f"Only {name} is right: {count:,}.")
        rows = [_row(each) for each in found.disagreements if each.right == right][:SHOWN]
        if rows:
            print_table(("photo", "shows", *(f"{name} says" for name in names), "file"), rows)


def _layers(found: "Comparison") -> None:
    from seethrough.cli.terminal import print_table, print_text

    print_text(f"\nLayers, the least alike first; units matched on {found.photos} photos")
    rows = [
        (
            layer.first if layer.first == layer.second else f"{layer.first}, {layer.second}",
            f"{layer.matched} of {layer.units}",
            "–" if layer.similarity is None else f"{layer.similarity:.2f}",
            "–" if layer.distance is None else f"{layer.distance:.2f}",
            layer.why or "",
        )
        for layer in found.layers
    ]
    titles = ("layer", "units matched", "correlation", "distance of kernels", "")
    print_table(titles, rows, right=(1, 2, 3))
    for one in found.alone:
        side = "first" if one.is_first else "second"
        print_text(f"{one.layer} of the {side} has no partner: {one.why}")


def _row(each: "Disagreement") -> tuple[str, ...]:
    said = (f"{one.label} {_share(one.probability)}" for one in (each.first, each.second))
    return (each.photo, each.label, *said, each.path)


def _names(found: "Comparison") -> tuple[str, str]:
    """The runs, with their step where it was named."""
    first, second = (
        side.run if side.step is None else f"{side.run}@{side.step}"
        for side in (found.first, found.second)
    )
    return first, second


def _value(value: object) -> str:
    return "–" if value is None else str(value)


def _share(share: float) -> str:
    return f"{100 * share:.1f} %"


def _points(share: float) -> str:
    return f"{100 * share:+.1f}"


def _probability(value: float) -> str:
    return f"p = {value:.3f}" if value >= 0.001 else "p < 0.001"


def _duration(seconds: float) -> str:
    from seethrough.cli.progress import duration

    return duration(seconds)
