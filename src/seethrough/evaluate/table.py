"""A report as text for a terminal: the score, the words, one line a class.

Plain text, at most 100 columns, no colours; None is shown as –.
"""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from seethrough.evaluate.report import Report
    from seethrough.evaluate.scores import ClassScore

WIDEST_NAME = 24


def text(report: "Report") -> str:
    """The report in the order in which one reads it."""
    low, high = report.interval
    lines = [
        f"{_share(report.accuracy)} right on {report.images:,} photos it has never seen"
        + ("" if report.views == 1 else f", judged by {report.views} views of each"),
        f"95 % sure that it lies between {_share(low)} and {_share(high)}; "
        f"always saying the most frequent class: {_share(report.chance)}",
        "",
        report.verdict,
        report.explanation,
        *(f"! {warning}" for warning in report.warnings),
        "",
        *_classes(report),
    ]
    return "\n".join(lines)


def _classes(report: "Report") -> list[str]:
    width = min(WIDEST_NAME, max(len("class"), *(len(name) for name in report.classes)))
    head = (
        f"{'class':<{width}}  photos  found (recall)  right when it says so  most often taken for"
    )
    return [head, *(_line(score, width) for score in report.per_class)]


def _line(score: "ClassScore", width: int) -> str:
    taken_for = "–"
    if score.most_often_taken_for is not None:
        taken_for = f"{_short(score.most_often_taken_for)} {score.taken_for_count}"
    return (
        f"{_short(score.label):<{width}}  {score.images:>6}  {_share(score.recall):>14}"
        f"  {_share(score.precision):>21}  {taken_for}"
    )


def _short(name: str) -> str:
    return name if len(name) <= WIDEST_NAME else f"{name[: WIDEST_NAME - 1]}…"


def _share(share: float | None) -> str:
    return "–" if share is None else f"{100 * share:.1f} %"
