"""Steering a training by hand: what is asked for, and what was done from which step on.

    wanted.json     {"paused": null, "rate_factor": 1.0}: replaced by whoever steers; `paused` names
                    the process that is to hold, so that the next one goes on
    steering.json   [{"step": 121, "rate_factor": 0.5}, …]: written by the process that records,
                    before it takes that step

What is asked for is read before and after every step. A pause is a stop that keeps a checkpoint,
and a resume in the same process: it changes no weight. From a turn on, the learning rate of the
schedule is multiplied by its factor. A run that is resumed repeats its turns at their steps, so
that its weights are those of a run that was steered alike and not interrupted; a turn that is asked
for while it repeats takes the place of those to come. Raises RunError.
"""

import fcntl
import json
import math
import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from seethrough.errors import RunError
from seethrough.runs import durable, process

WANTED, DONE = "wanted.json", "steering.json"
LARGEST = 100.0
POLL_S = 0.1  # between two looks while a training is paused


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What is asked for now."""

    paused: str | None = None  # the process that is to hold; None: nobody
    rate_factor: float = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Turn:
    """From this step on, the learning rate is the schedule's times this factor."""

    step: int
    rate_factor: float


def ask(folder: Path, *, is_paused: bool | None = None, rate_factor: float | None = None) -> Wanted:
    """Ask the process that records the run in `folder`; None leaves that as it is."""
    if rate_factor is not None and not (math.isfinite(rate_factor) and 0 < rate_factor <= LARGEST):
        raise RunError(
            f"The learning rate cannot be multiplied by {rate_factor:g}.",
            why=f"the factor is a number above 0, up to {LARGEST:g}.",
            fix="write for example 0.5 to halve it, or 1 for the schedule's own.",
        )
    recorder = process.recording_now(folder)
    if recorder is None:
        raise RunError(
            f"{folder.name} is not being trained.",
            why="only a training that goes on can be steered.",
            fix=f"go on with it: seethrough train --resume {folder.name}.",
        )
    with _alone(folder):
        wanted = _wanted(folder) or Wanted(rate_factor=factor_at(turns(folder)))
        if is_paused is not None:
            wanted = replace(wanted, paused=recorder if is_paused else None)
        if rate_factor is not None:
            wanted = replace(wanted, rate_factor=rate_factor)
        durable.write(folder / WANTED, json.dumps(asdict(wanted)).encode())
    return wanted


def turns(folder: Path) -> tuple[Turn, ...]:
    """What was done, in the order of the steps; nothing where a run was never steered."""
    path = folder / DONE
    try:
        return tuple(Turn(**each) for each in json.loads(path.read_bytes()))
    except FileNotFoundError:
        return ()
    except (OSError, ValueError, TypeError) as error:
        raise RunError(
            f"{path} cannot be read.",
            why=f"{error}. It says how the learning rate was steered.",
            fix="bring the file back, or train a new run.",
        ) from error


def factor_at(done: Sequence[Turn], step: int | None = None) -> float:
    """The factor of the learning rate in this step, or after all turns."""
    taken = (turn for turn in reversed(done) if step is None or turn.step <= step)
    return next((turn.rate_factor for turn in taken), 1.0)


def sentences(done: Sequence[Turn]) -> tuple[str, ...]:
    """What whoever reads the score has to know; nothing where a run was never steered."""
    if not done:
        return ()
    said = ", ".join(f"× {turn.rate_factor:g} from step {turn.step:,}" for turn in done)
    return (
        f"Its learning rate was steered by hand: {said}. "
        "The recipe alone does not give these weights.",
    )


class Steering:
    """The steering of one run, for the process that records it."""

    def __init__(self, folder: Path) -> None:
        self._folder, self._stamp = folder, (0, 0)
        self._process = process.named(os.getpid())
        self.done = turns(folder)
        self._wanted = Wanted(rate_factor=factor_at(self.done))

    def is_paused(self) -> bool:
        """Whether this process is to hold."""
        return self._look().paused == self._process

    def end_pause(self) -> None:
        """Forget the pause: who goes on with a stopped training wants it to go on."""
        with _alone(self._folder):
            wanted = _wanted(self._folder)
            if wanted is not None and wanted.paused is not None:
                content = json.dumps(asdict(replace(wanted, paused=None)))
                durable.write(self._folder / WANTED, content.encode())

    def _look(self) -> Wanted:
        """What is asked for now; the last that could be read."""
        try:
            found = os.stat(self._folder / WANTED)  # noqa: PTH116 - once a step
        except OSError:
            return self._wanted
        stamp = (found.st_mtime_ns, found.st_ino)
        if stamp != self._stamp:
            self._stamp = stamp
            self._wanted = _wanted(self._folder) or self._wanted
        return self._wanted

    def rate_factor(self, step: int) -> float:
        """The factor of this step, which is about to be taken; a new one is written down first."""
        asked = self._look().rate_factor
        if asked != factor_at(self.done):
            before = tuple(turn for turn in self.done if turn.step < step)
            self.done = (*before, Turn(step=step, rate_factor=asked))
            content = json.dumps([asdict(turn) for turn in self.done])
            durable.write(self._folder / DONE, content.encode())
        return factor_at(self.done, step)

    def turned_at(self, step: int) -> Turn | None:
        """The turn that this step began."""
        return next((turn for turn in self.done if turn.step == step), None)


class Leaving:
    """Whether training should stop: because of a wish to stop, or for a pause."""

    def __init__(self, steering: Steering, should_stop: Callable[[], bool]) -> None:
        self._steering, self._should_stop = steering, should_stop
        self.can_pause = False  # there is a step that can be kept
        self.is_stop = False

    def __call__(self) -> bool:
        """Ask both."""
        self.is_stop = self.is_stop or self._should_stop()
        return self.is_stop or (self.can_pause and self._steering.is_paused())


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """One at a time reads and replaces what is wanted of a run."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def _wanted(folder: Path) -> Wanted | None:
    """What the file asks for; None where there is none, or it is damaged."""
    try:
        said = Wanted(**json.loads((folder / WANTED).read_bytes()))
    except (OSError, ValueError, TypeError):
        return None
    is_known = isinstance(said.paused, str | None) and isinstance(said.rate_factor, float | int)
    return said if is_known and 0 < said.rate_factor <= LARGEST else None
