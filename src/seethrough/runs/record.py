"""Recording a run: training's events become the log, the checkpoints and the results.

The log is made durable before a checkpoint is, and the checkpoint remembers how long the log was:
a resume cuts the log back to it, so that its steps are those of a training never interrupted.
An event is a dictionary with the fields of the server's message of the same kind.
Whatever ends the training, but a kill, stands in the log's last line.
"""

import contextlib
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from seethrough.data.dataset import Dataset
from seethrough.data.load import load
from seethrough.data.split import Split
from seethrough.errors import RunError, SeethroughError, StorageError, TrainingDiverged
from seethrough.model.checkpoint import weights_sha256
from seethrough.model.coded import Network
from seethrough.model.presets import asked_for
from seethrough.runs import (
    checkpoints,
    creation,
    durable,
    duration,
    lines,
    past,
    process,
    results,
)
from seethrough.runs.checkpoints import Checkpoint
from seethrough.runs.folder import Run, runs_place
from seethrough.runs.interruption import interruption
from seethrough.runs.log import Log, LogEvent, begins_with
from seethrough.runs.moments import MomentFile
from seethrough.runs.pretrained import source, told
from seethrough.runs.start import pace_of, put_edited, put_into
from seethrough.runs.steering import POLL_S, Leaving, Steering
from seethrough.train import loop
from seethrough.train.events import (
    Done,
    EpochEnd,
    Event,
    MomentDue,
    Remark,
    Snapshot,
    Started,
    Step,
    Stopped,
)
from seethrough.train.limit import matrix_product, share_of_limit
from seethrough.train.parallel import ALONE, World
from seethrough.train.place import Place, exact
from seethrough.train.recipe import Recipe
from seethrough.train.shrink import multiply_adds


def train(
    dataset: Dataset | str | Path,
    *,
    network: str | Network | None = None,
    recipe: Recipe | None = None,
    runs_dir: str | Path | None = None,
    place: Place | None = None,
    start: Run | str | None = None,
    minutes: float | None = None,
) -> Run:
    """Train a network on the images and return the run; Ctrl-C stops it after a checkpoint.

    Without a network the demo's is taken at the images' size, without a recipe one that suits
    their number. With `start`, the network and the weights are that run's, or "cifar10", which
    comes with the program, or published by others ("hf:microsoft/resnet-18", "hf:./folder"): a
    head for other classes begins anew, and all layers learn, those near the photo slowly.

    With `minutes`, a few steps are timed and the recipe gets as many epochs as take about so long
    on this machine, at least one; the run's own recipe has their number.
    """
    if minutes is not None:
        duration.check_minutes(minutes)  # before a photo is read
    place_of_runs = runs_place(runs_dir)
    own_px = dataset.image_px if isinstance(dataset, Dataset) else None
    begun = None if start is None else source(start, place_of_runs, image_px=own_px)
    image_px = None if begun is None else begun.network.image_px
    images = dataset if isinstance(dataset, Dataset) else load(dataset, image_px=image_px)
    if begun is not None and network is None:
        network = begun.buildable()
    if network is None or isinstance(network, str):
        network = asked_for(network or "demo", images.image_px)
    if recipe is None:
        split = creation.train_images(images)
        recipe = Recipe.default_for(train_images=split, image_px=images.image_px)
        recipe = duration.in_numbers(images, network, recipe, place=place)
    if minutes is not None:
        speed = duration.expected(images, network, recipe, place=place)
        recipe = duration.lasting(recipe, speed, minutes)
    run = creation.create(images, network, recipe, runs_dir=place_of_runs, place=place, start=begun)
    notes = () if begun is None else told(begun)
    with interruption() as should_stop:
        for _ in record(run, dataset=images, place=place, should_stop=should_stop, notes=notes):
            pass
    return run


def record(
    run: Run,
    *,
    dataset: Dataset,
    place: Place | None = None,
    should_stop: Callable[[], bool] = loop.never,
    notes: Sequence[str] = (),
    world: World | None = None,
) -> Iterator[LogEvent]:
    """Train to the end, or go on from the newest checkpoint; yields each line as it is logged.

    `notes` are sentences for the reader of the log. The others in a `world` of several train
    along by `assistance.assist`.
    Results of a finished run that were damaged or deleted are made again from its last checkpoint.
    Raises RunError where the run is finished, is recorded by another process, or has other images.
    """
    results.check_same(run, dataset)
    with process.recording(run.folder):
        if run.summary.is_finished and _is_whole(run):
            raise RunError(
                f"{run.id} is finished.",
                why="all its epochs are done, and its report is made.",
                fix=f"look at it: seethrough evaluate {run.id}; or train a new run.",
            )
        durable.sweep(run.folder)
        durable.sweep(run.folder / "checkpoints")
        place = place or creation.recorded_place(run.manifest.environment)
        recording = _Recording(run, dataset, place, world or ALONE)
        recording.notes += notes
        try:
            yield from recording.lines(should_stop)
        finally:
            recording.close()


class _Recording:
    """A run while it is recorded, with its log open."""

    def __init__(self, run: Run, dataset: Dataset, place: Place, world: World) -> None:
        self.run, self.dataset, self.place, self.world = run, dataset, place, world
        network = run.buildable
        self.network = creation.untrained(dataset, network, run.manifest.recipe)
        begun = run.manifest.start
        if begun is not None:
            put_into(self.network, run, begun)
        if run.manifest.edited is not None:
            put_edited(self.network, run)
        self.pace = None if begun is None else pace_of(self.network, begun, run.manifest.recipe)
        self.steering = Steering(run.folder)
        self.multiply_adds = {dataset.image_px: sum(size.multiply_adds for size in run.sizes)}
        self.kept, self.notes = checkpoints.to_resume(run.folder)
        path = run.folder / "log.jsonl"
        if self.kept is not None:
            self.notes += _differences(run, place)
            if network != run.network:
                self.notes.append("Its code is not what it was made with: results may differ.")
            if not begins_with(path, self.kept.log):
                self.notes.append("The log was changed since the checkpoint; some of it is lost.")
            self.notes.append(f"Resumed after step {self.kept.state.step}.")
        elif path.exists() and run.manifest.edited is None:
            self.notes.append("Started over: there was no checkpoint to go on from.")
        self.moments = self._opened_moments()
        self.log = Log(path, keep=self.kept.log.length if self.kept else 0)
        self.epoch, self.seconds, self.accuracy = 0, 0.0, run.summary.test_accuracy

    def _multiply_adds(self, image_px: int) -> int:
        """Of one photo of that side, forwards."""
        if image_px not in self.multiply_adds:
            self.multiply_adds[image_px] = multiply_adds(self.network, image_px)
        return self.multiply_adds[image_px]

    def _opened_moments(self) -> MomentFile:
        """The file of moments, with those that the checkpoint had seen."""
        if self.kept is None:
            return MomentFile(self.run.folder, keep=0)
        keep, lost = past.kept_bytes(self.run.folder, step=self.kept.state.step)
        if lost:
            self.notes.append(f"Moments are damaged: {lost} of them are lost.")
        return MomentFile(self.run.folder, keep=keep)

    def close(self) -> None:
        """Let go of what is appended to."""
        self.log.close()
        self.moments.close()

    def lines(self, should_stop: Callable[[], bool]) -> Iterator[LogEvent]:
        """Every line that this recording adds to the log."""
        try:
            if self.kept is not None:
                self.epoch = self.kept.state.epoch
                self.seconds = self.kept.state.scalars["elapsed_s"]
                # The log was cut back to before this line; it is as true as it was.
                yield self._checkpoint_line(self.kept)
                yield from self._noted()
            learned = self._trained if self.run.manifest.edited is None else self._judged
            yield from learned(should_stop)
        except Exception as error:
            if isinstance(error, TrainingDiverged):
                error.fix += self._way_back()
            failure = error if isinstance(error, SeethroughError) else _unexpected(error)
            # A disk that refuses this line too leaves a log without an end: the run can resume.
            with contextlib.suppress(StorageError):
                self._end("failed", failure)
            raise

    def _way_back(self) -> str:
        """After a divergence: which finite weights there are, and how to begin with them."""
        kept, _ = checkpoints.to_resume(self.run.folder)
        if kept is None:
            return " No epoch was learned to its end, so there are no weights to go back to."
        return (
            f" The checkpoint after epoch {kept.state.epoch} holds finite weights; begin a new "
            f"training with them: --from {self.run.id}."
        )

    def _trained(self, should_stop: Callable[[], bool]) -> Iterator[LogEvent]:
        """All that training tells; a pause holds, and goes on from what it kept."""
        state = self.kept.state if self.kept else None
        while True:
            leaving, is_over = Leaving(self.steering, should_stop), True
            leaving.can_pause = state is not None
            for event in loop.train(
                self.network,
                self.dataset,
                self.run.manifest.recipe,
                place=self.place,
                resume=state,
                should_stop=leaving,
                watched=self.run.manifest.watched,
                pace=self.pace,
                rate_factor=self.steering.rate_factor,
                world=self.world,
            ):
                if isinstance(event, Step):
                    leaving.can_pause = True
                if isinstance(event, Snapshot):
                    state = event.state
                if isinstance(event, Stopped) and state is not None and not leaving.is_stop:
                    is_over = False
                else:
                    yield from self._event(event, should_stop)
            if is_over or state is None:
                self.world.agreed(False)
                return
            yield self._add(lines.paused(state.step, state.epoch))
            self.log.sync()
            while self.steering.is_paused():
                if should_stop():
                    self.steering.end_pause()
                    self.world.agreed(False)
                    yield self._end("stopped")
                    return
                time.sleep(POLL_S)
            self.world.agreed(True)
            yield self._add(lines.went_on(state.step))

    def _judged(self, should_stop: Callable[[], bool]) -> Iterator[LogEvent]:
        """What is told of a network that was changed by hand and learns nothing."""
        made = self.run.manifest.edited
        assert made is not None
        if self.world.size > 1:
            raise RunError(
                f"{self.run.id} learns nothing.",
                why=f"it is the network of {made.run}, changed by hand; it is only judged.",
                fix=f"leave torchrun out: seethrough train --resume {self.run.id}.",
            )
        moment = "" if made.step is None else f" after step {made.step}"
        yield self._add(lines.note(f"Changed by hand: the network of {made.run}{moment}."))
        for text in made.changes:
            yield self._add(lines.note(text))
        yield self._finished(should_stop)

    def _finished(self, should_stop: Callable[[], bool]) -> LogEvent:
        with exact(self.place):
            done = results.finish(self.run, self.network, self.dataset, should_stop)
        if done is not None:
            self.accuracy = done.test_accuracy
        return self._end("stopped" if done is None else "finished")

    def _event(self, event: Event, should_stop: Callable[[], bool]) -> Iterator[LogEvent]:
        match event:
            case Started():
                yield self._add(lines.started(event))
                yield from self._noted()
            case Step():
                self.seconds = event.elapsed_s
                if turn := self.steering.turned_at(event.step):
                    yield self._add(lines.steered(turn.step, turn.rate_factor))
                yield self._add(lines.step(event))
            case EpochEnd():
                self.epoch, self.seconds = event.epoch, event.elapsed_s
                self.accuracy = event.test_accuracy
                speed = event.images_per_second
                precision = self.run.manifest.recipe.precision
                limit = matrix_product(precision, self.place.device) * self.world.size
                share = share_of_limit(speed, self._multiply_adds(event.image_px), limit)
                yield self._add(lines.epoch(event, share))
            case Remark():
                yield self._add(lines.note(event.text))
            case MomentDue():
                self.moments.append(past.packed(event))
            case Snapshot():
                self.moments.sync()
                kept = Checkpoint(
                    state=event.state,
                    log=self.log.sync(),
                    weights_sha256=weights_sha256(self.network),
                )
                checkpoints.write(self.run.folder, kept)
                yield self._checkpoint_line(kept)
            case Stopped():
                self.seconds = event.elapsed_s
                yield self._end("stopped")
            case Done():
                self.seconds = event.elapsed_s
                yield self._finished(should_stop)

    def _add(self, line: LogEvent) -> LogEvent:
        self.log.append(line)
        return line

    def _noted(self) -> Iterator[LogEvent]:
        for text in self.notes:
            yield self._add(lines.note(text))
        self.notes = []

    def _checkpoint_line(self, kept: Checkpoint) -> LogEvent:
        return self._add(lines.checkpoint(kept.state.step, kept.state.epoch, kept.weights_sha256))

    def _end(self, state: str, error: SeethroughError | None = None) -> LogEvent:
        line = lines.end(
            state,
            epoch=self.epoch,
            train_seconds=self.seconds,
            test_accuracy=self.accuracy,
            weights_sha256=None if error else weights_sha256(self.network),
            error=error,
        )
        self._add(line)
        self.log.sync()
        return line


def _is_whole(run: Run) -> bool:
    """Whether all results of a finished run can be read."""
    try:
        _ = run.classifier
        if run.manifest.dataset.num_images(Split.TEST):
            _ = run.predictions, run.report
    except SeethroughError:
        return False
    return (run.folder / results.WEIGHTS).exists()


def _differences(run: Run, place: Place) -> list[str]:
    """A sentence where this machine is not the one that the run began on."""
    before, now = run.manifest.environment, creation.environment(place)
    changed = [
        f"{name} {before.get(name)} → {now[name]}" for name in now if now[name] != before.get(name)
    ]
    if not changed:
        return []
    return [f"Not on the same ground as before ({'; '.join(changed)}): last digits may differ."]


def _unexpected(error: Exception) -> SeethroughError:
    return SeethroughError(
        "Training ended with an unexpected error.",
        why=f"{type(error).__name__}: {error}",
        fix="resume the run; if it happens again, report it with this text.",
    )
