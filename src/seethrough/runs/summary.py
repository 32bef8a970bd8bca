"""One line about a run, taken from its manifest and the end of its log.

    state     waiting    a living process made it or starts up, nothing logged yet
              training   a living process records it
              paused     a living process holds it after a step, until it is told to go on
              stopped    asked to stop, or its process died: `--resume` goes on, or begins
              finished   weights and report are there
              failed     the log or a background process ended with an error

The log says what happened; whether a process lives is asked of the system each time, so a dead
one never shows as training.
"""

import dataclasses
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from seethrough.runs import manifest, process, steering

State = Literal["waiting", "training", "paused", "stopped", "finished", "failed"]
LIVE = ("waiting", "training", "paused")  # a process has it in hand


@dataclass(frozen=True, slots=True, kw_only=True)
class Summary:
    """One line of the list of runs."""

    id: str
    created: str  # ISO 8601, UTC
    state: State
    dataset: str
    network: str
    epoch: int  # epochs finished
    epochs: int  # epochs asked for
    test_accuracy: float | None  # 0..1, after the newest epoch
    train_seconds: float
    steered: bool = False  # its learning rate was turned by hand
    edited: bool = False  # its network was changed by hand and learned nothing
    several: bool = False  # its photos have several labels: test_accuracy counts all labels right
    # whose weights it began with, or whose copy it is: a run, cifar10, hf:OWNER/NAME@COMMIT
    start: str | None = None
    licence: str | None = None  # of these, where others published them and named one

    @property
    def is_live(self) -> bool:
        """Whether a process has it in hand."""
        return self.state in LIVE

    @property
    def has_begun(self) -> bool:
        """Whether any of it was trained or judged."""
        return self.epoch > 0 or self.train_seconds > 0

    @property
    def is_finished(self) -> bool:
        """Whether its weights and report are there."""
        return self.state == "finished"

    def to_dict(self) -> dict[str, Any]:
        """Names and plain values."""
        return dataclasses.asdict(self)


def summarise(folder: Path) -> Summary:
    """Where the run in `folder` stands now."""
    return reconciled(from_files(folder), folder)


def from_files(folder: Path) -> Summary:
    """What the files say; a log that is not ended says `waiting` or `stopped`."""
    stored = manifest.raw(folder)
    epoch, end, step, is_paused = _tail(folder / "log.jsonl")
    state: State = "waiting" if epoch is None and step is None else "stopped"
    state = "paused" if is_paused else state
    seconds = max((event["elapsed_s"] for event in (epoch, step) if event), default=0.0)
    accuracy = epoch["test_accuracy"] if epoch else None
    if end:
        state, seconds = end["state"], end["train_seconds"]
        accuracy = accuracy if end["test_accuracy"] is None else end["test_accuracy"]
    begun = stored.get("start") or {}
    copied = stored.get("edited") or {}
    return Summary(
        id=stored["id"],
        created=stored["created"],
        state=state,
        dataset=stored["dataset"]["name"],
        network=stored["network"]["name"],
        epoch=epoch["epoch"] if epoch else 0,
        epochs=stored["recipe"]["epochs"],
        test_accuracy=accuracy,
        train_seconds=seconds,
        steered=bool(steering.turns(folder)),
        edited=bool(copied),
        several=bool(stored["dataset"].get("is_several")),
        start=begun.get("run") or copied.get("run"),
        licence=(begun.get("published") or {}).get("licence"),
    )


def reconciled(said: Summary, folder: Path) -> Summary:
    """The summary with the state that the system's processes confirm."""
    state = said.state
    if said.is_finished:
        return said
    if process.is_recorded(folder):
        state = "paused" if said.state == "paused" else "training"
    elif said.state == "paused":
        state = "stopped"
    elif said.state == "waiting" and process.was_launched(folder):
        state = "waiting" if process.recorder(folder) else "failed"
    elif said.state == "waiting" and not process.is_to_come(folder):
        state = "stopped"  # it died before it took a step
    return dataclasses.replace(said, state=state)


_Line = dict[str, Any] | None


def _tail(path: Path) -> tuple[_Line, _Line, _Line, bool]:
    """The log's last epoch, its end if that is its last word, its last step, whether it pauses."""
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        return None, None, None, False
    content = content[: content.rfind(b"\n") + 1]  # a torn last line does not count
    end = _last(content, "end")
    is_paused = content[content.rfind(b"\n", 0, -1) + 1 :].startswith(b'{"kind": "paused"')
    return _last(content, "epoch"), end, _last(content, "step"), is_paused


def _last(content: bytes, kind: str) -> dict[str, Any] | None:
    """The last line of a kind; every line begins with its kind."""
    beginning = f'{{"kind": "{kind}"'.encode()
    start = content.rfind(b"\n" + beginning) + 1
    if start == 0 and not content.startswith(beginning):
        return None
    event: dict[str, Any] = json.loads(content[start : content.index(b"\n", start)])
    return event
