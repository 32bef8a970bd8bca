"""The epochs of a run as a table, at the end of a training."""

from typing import TYPE_CHECKING, Any

from seethrough.cli.terminal import print_table, print_text

if TYPE_CHECKING:
    from seethrough.runs.folder import Run

ROWS = 12  # at most
TITLES = (
    "epoch",
    "loss",
    "training accuracy",
    "test loss",
    "test accuracy",
    "images/s",
    "of the limit",
    "after",
)
SEVERAL = tuple(title.replace("accuracy", "all labels right") for title in TITLES)


def print_course(run: "Run") -> None:
    """The untrained network, the last epoch, and epochs between them; then an empty line."""
    epochs = [event for _, event in run.log() if event["kind"] == "epoch"]
    if epochs:
        titles = SEVERAL if run.manifest.dataset.is_several else TITLES
        print_table(titles, [_row(event) for event in chosen(epochs)], right=range(len(titles)))
        print_text("")


def chosen(epochs: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """At most ROWS of them, evenly spread, with the first and the last."""
    last = len(epochs) - 1
    if last < ROWS:
        return epochs
    return [epochs[round(place * last / (ROWS - 1))] for place in range(ROWS)]


def _row(event: dict[str, Any]) -> tuple[str, ...]:
    from seethrough.cli.progress import duration

    speed = event["images_per_second"]
    return (
        f"{event['epoch']}",
        _number(event["train_loss"], ".3f"),
        _number(event["train_accuracy"], ".1%"),
        _number(event["test_loss"], ".3f"),
        _number(event["test_accuracy"], ".1%"),
        _number(speed, ",.0f"),
        _number(event.get("share_of_limit"), ".0%"),
        duration(event["elapsed_s"]),
    )


def _number(value: float | None, how: str) -> str:
    return "–" if value is None else format(value, how).replace("%", " %")
