"""A report in the terminal: the score, the verdict, one line a class."""

from typing import TYPE_CHECKING

from seethrough.cli.terminal import draw, print_table, print_text, printable

if TYPE_CHECKING:
    from rich.text import Text

    from seethrough.evaluate.report import Report
    from seethrough.evaluate.several import SeveralReport


def print_report(report: "Report | SeveralReport") -> None:
    """The whole report on standard output."""
    from seethrough.evaluate.several import SeveralReport

    print_score(report)
    if isinstance(report, SeveralReport):
        _print_labels(report)
        return
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


def _print_labels(report: "SeveralReport") -> None:
    from seethrough.evaluate import several_table

    rows = [*map(several_table.row, report.per_label), several_table.macro_row(report.macro)]
    print_text("")
    print_table(several_table.TITLES, rows, right=(1, 2, 3, 4, 5, 6))
    print_text("")
    for line in several_table.macro_lines(report.macro):
        print_text(line)


def print_score(report: "Report | SeveralReport") -> None:
    """The score with its interval, and the words."""
    from rich.text import Text

    from seethrough.evaluate.several import SeveralReport

    text = Text()
    if isinstance(report, SeveralReport):
        from seethrough.evaluate.several_table import score_lines

        first, *others = score_lines(report)
        text.append(first + "\n", style="bold")
        text.append("\n".join(others) + "\n\n", style="dim")
    else:
        _append_share(text, report)
    text.append(printable(report.verdict), style="bold")
    text.append(f" {printable(report.explanation)}" if report.explanation else "")
    for warning in report.warnings:
        text.append(f"\n! {printable(warning)}", style="yellow")
    draw(text)


def _append_share(text: "Text", report: "Report") -> None:
    low, high = report.interval
    text.append(f"{_share(report.accuracy)} right", style="bold")
    views = "" if report.views == 1 else f", judged by {report.views} views of each"
    text.append(f" on {report.images:,} photos it has never seen{views}\n")
    text.append(
        f"95 % sure that it lies between {_share(low)} and {_share(high)}; always saying the most "
        f"frequent class is right {_share(report.chance)} of the time\n\n",
        style="dim",
    )


def _taken_for(label: str | None, count: int) -> str:
    return "–" if label is None else f"{label} {count}"


def _share(share: float | None) -> str:
    return "–" if share is None else f"{100 * share:.1f} %"
