"""A report on several labels as text for a terminal: the score, the words, one line a label.

Plain text, at most 100 columns, no colours; None is shown as –.
"""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from seethrough.evaluate.several import LabelScore, Mean, SeveralReport

WIDEST_NAME = 24
TITLES = ("label", "test photos", "said", "found", "right when it says so", "F1", "avg. precision")


def text(report: "SeveralReport") -> str:
    """The report in the order in which one reads it."""
    rows = [TITLES, *(row(score) for score in report.per_label), macro_row(report.macro)]
    widths = [max(len(cells[number]) for cells in rows) for number in range(len(TITLES))]
    lines = [
        "  ".join(
            f"{cell:<{width}}" if number == 0 else f"{cell:>{width}}"
            for number, (cell, width) in enumerate(zip(cells, widths, strict=True))
        )
        for cells in rows
    ]
    warnings = [f"! {warning}" for warning in report.warnings]
    words = [word for word in (report.verdict, report.explanation) if word]
    return "\n".join(["\n".join(score_lines(report)), "", *words, *warnings, "", *lines])


def score_lines(report: "SeveralReport") -> tuple[str, str, str]:
    """What share is right, how sure that is, and how often single labels are."""
    low, high = report.interval
    views = "" if report.views == 1 else f", judged by {report.views} views of each"
    return (
        f"All labels right on {_share(report.accuracy)} of {report.images:,} photos it has never "
        f"seen{views}",
        f"95 % sure that it lies between {_share(low)} and {_share(high)}; always saying the "
        f"commonest combination: {_share(report.chance)}",
        f"A single label is right {_share(report.label_accuracy)} of the time; always giving its "
        f"commoner answer: {_share(report.label_chance)}",
    )


def row(score: "LabelScore") -> tuple[str, ...]:
    """One label."""
    name = score.label
    return (
        name if len(name) <= WIDEST_NAME else f"{name[: WIDEST_NAME - 1]}…",
        f"{score.images:,}",
        f"{score.said:,}",
        _share(score.recall),
        _share(score.precision),
        _three(score.f1),
        _three(score.average_precision),
    )


def macro_row(macro: "dict[str, Mean]") -> tuple[str, ...]:
    """The plain means."""
    recall, precision = macro["recall"].value, macro["precision"].value
    f1, average = macro["f1"].value, macro["average_precision"].value
    return ("mean", "", "", _share(recall), _share(precision), _three(f1), _three(average))


def macro_lines(macro: "dict[str, Mean]") -> list[str]:
    """The means with their intervals."""
    return [
        f"mean {words}: {_three(macro[name].value)}{_between(macro[name])}"
        for name, words in (("f1", "F1"), ("average_precision", "average precision"))
    ]


def _between(mean: "Mean") -> str:
    if mean.value is None:
        return ""
    if mean.interval is None:
        return " (95 %: too few mistakes to tell)"
    return f" (95 %: {mean.interval[0]:.3f} to {mean.interval[1]:.3f})"


def _three(value: float | None) -> str:
    return "–" if value is None else f"{value:.3f}"


def _share(share: float | None) -> str:
    return "–" if share is None else f"{100 * share:.1f} %"
