"""Training as one line on standard error: what is going on now, and how long it will take.

On a terminal the line is drawn anew four times a second; elsewhere one line is printed an epoch.
Reads the events of a run's log, from `record` or from the log of another process.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from seethrough.cli.terminal import console, errors_are_watched, printable, say

if TYPE_CHECKING:
    from rich.text import Text

FRESH_STEPS = 3  # before that, the time of a step says little about those to come


class TrainingLine:
    """What the events told so far, as a line."""

    def __init__(self, *, epochs: int, steps: int | None, is_several: bool = False) -> None:
        self._epochs, self._steps, self._is_several = epochs, steps, is_several
        self._images: int | None = None  # that are learned from in an epoch
        self._epoch: dict[str, Any] = {}
        self._step: dict[str, Any] = {}
        self._pause: dict[str, Any] | None = None

    def tell(self, event: dict[str, Any]) -> None:
        """Take in one event."""
        if event["kind"] == "started":
            self._steps, self._images = event["steps"], event.get("images")
        elif event["kind"] == "epoch":
            self._epoch = event
        elif event["kind"] == "step":
            self._step = event
        self._pause = event if event["kind"] == "paused" else None

    def now(self) -> str:
        """The step that was taken last, with the accuracy after the epoch before."""
        if self._pause is not None:
            return f"paused after step {self._pause['step']}, all of it saved"
        if not self._step:
            return "getting ready"
        if self._step["step"] == self._steps:
            return "judging it on all photos"
        parts = [
            f"epoch {self._step['epoch']} of {self._epochs}",
            _speed(self._epoch) or self._first_speed(),
            f"loss {_number(self._step['loss'])}",
            f"{self._right('test')} {_share(self._epoch.get('test_accuracy'))}",
            self.left(),
        ]
        return "   ".join(part for part in parts if part)

    def _first_speed(self) -> str:
        """While no epoch has ended: images a second of the steps since learning began."""
        taken = self._step["step"] - self._epoch.get("step", 0)
        seconds = self._step["elapsed_s"] - self._epoch.get("elapsed_s", 0.0)
        if not self._steps or not self._images or taken < FRESH_STEPS or seconds <= 0:
            return ""
        return f"{self._images * self._epochs / self._steps * taken / seconds:,.0f} images/s"

    def _right(self, which: str) -> str:
        return f"{which} photos all right" if self._is_several else f"{which} accuracy"

    def epoch_line(self) -> str:
        """The epoch that just ended."""
        epoch = self._epoch
        if epoch["epoch"] == 0:
            return f"untrained: {self._right('test')} {_share(epoch['test_accuracy'])}"
        parts = [
            f"epoch {epoch['epoch']} of {self._epochs}: loss {_number(epoch['train_loss'])}",
            f"{self._right('training')} {_share(epoch['train_accuracy'])}",
            f"{self._right('test')} {_share(epoch['test_accuracy'])}",
            _speed(epoch),
            self.left(),
        ]
        return ", ".join(part for part in parts if part)

    def left(self) -> str:
        """The time for the steps to come, if they take as long as those before; "" if unknown."""
        done = self._step.get("step", 0)
        if not self._steps or done < FRESH_STEPS or done >= self._steps:
            return ""
        newest = max(self._step["elapsed_s"], self._epoch.get("elapsed_s", 0.0))
        return f"{duration(newest / done * (self._steps - done))} left"


@contextmanager
def training_line(line: TrainingLine, *, is_quiet: bool) -> Iterator["Follower"]:
    """Shows the line for as long as the `with` lasts; gives what to call with every event."""
    if not errors_are_watched():
        yield Follower(line, is_quiet=is_quiet)
        return
    from rich.live import Live

    with Live(
        get_renderable=lambda: _drawn(line),
        console=console(to_errors=True),
        refresh_per_second=4,
        transient=True,
    ):
        yield Follower(line, is_quiet=True)


class Follower:
    """Passes events on to a line; prints what must not be lost, and epochs where nothing moves."""

    def __init__(self, line: TrainingLine, *, is_quiet: bool) -> None:
        self._line, self._is_quiet = line, is_quiet

    def tell(self, event: dict[str, Any]) -> None:
        """One event of the log."""
        self._line.tell(event)
        if event["kind"] == "note":
            say(event["text"])
        elif event["kind"] == "steered":
            factor = f"{event['rate_factor']:g} times the planned rate"
            say(f"Steered: {factor} from step {event['step']} on.")
        elif event["kind"] in ("paused", "went_on") and not self._is_quiet:
            word = "Paused" if event["kind"] == "paused" else "Goes on"
            say(f"{word} after step {event['step']}.")
        elif event["kind"] == "epoch" and not self._is_quiet:
            say(self._line.epoch_line())


def epochs_of(number: int) -> str:
    """1 epoch, 12 epochs."""
    return f"{number:,} {'epoch' if number == 1 else 'epochs'}"


def duration(seconds: float) -> str:
    """8 s, 2 min 5 s, 3 h 20 min."""
    whole = max(1, round(seconds))
    minutes, rest = divmod(whole, 60)
    if minutes < 1:
        return f"{whole} s"
    if minutes < 60:
        return f"{minutes} min {rest} s" if rest and minutes < 10 else f"{minutes} min"
    return f"{minutes // 60} h {minutes % 60} min"


def _drawn(line: TrainingLine) -> "Text":
    from rich.text import Text

    return Text(printable(line.now()), no_wrap=True, overflow="ellipsis")


def _speed(epoch: dict[str, Any]) -> str:
    """Images a second, and how much that is of what this machine can compute."""
    speed, share = epoch.get("images_per_second"), epoch.get("share_of_limit")
    if speed is None:
        return ""
    limit = "" if share is None else f" ({share:.0%} of the limit)".replace("%", " %")
    return f"{speed:,.0f} images/s{limit}"


def _share(share: float | None) -> str:
    return "–" if share is None else f"{100 * share:.1f} %"


def _number(value: float | None) -> str:
    return "not a number" if value is None else f"{value:.3f}"
