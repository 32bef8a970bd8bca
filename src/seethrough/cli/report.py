"""A report in the terminal: the score, the verdict, one line a class."""

from typing import TYPE_CHECKING

from seethrough.cli.terminal import draw, print_table, print_text, printable

if TYPE_CHECKING:
    from seethrough.evaluate.report import Report


def print_report(report: "Report") -> None:
    """The whole report on standard output."""
    print_score(report)
    rows = [
        (
            score.label,
            f"{score.images:,}",
            _share(score.recall),
            _share(score.precision),
            "–" if score.f1 is None else f"{score.f1:.3f}",
            _taken_for(score.most_often_taken_for, score.taken_for_count),
        )
        for score in report.per_class
    ]
    print_text("")
    print_table(TITLES, rows, right=(1, 2, 3, 4))


TITLES = (
    "class",
    "test photos",
    "found (recall)",
    "right when it says so (precision)",
    "F1",
    "most often taken for",
)


def print_score(report: "Report") -> None:
    """The score with its interval, and the words."""
    from rich.text import Text

    low, high = report.interval
    text = Text()
    text.append(f"{_share(report.accuracy)} right", style="bold")
    views = "" if report.views == 1 else f", judged by {report.views} views of each"
    text.append(f" on {report.images:,} photos it has never seen{views}\n")
    text.append(
        f"95 % sure that it lies between {_share(low)} and {_share(high)}; always saying the most "
        f"frequent class is right {_share(report.chance)} of the time\n\n",
        style="dim",
    )
    text.append(printable(report.verdict), style="bold")
    text.append(f" {printable(report.explanation)}" if report.explanation else "")
    for warning in report.warnings:
        text.append(f"\n! {printable(warning)}", style="yellow")
    draw(text)


def _taken_for(label: str | None, count: int) -> str:
    return "–" if label is None else f"{label} {count}"


def _share(share: float | None) -> str:
    return "–" if share is None else f"{100 * share:.1f} %"
