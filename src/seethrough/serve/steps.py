"""Steps of learning that a page looks at: on its photo alone, or on the run's own batches.

Of the run's training one continuation is held, with its two newest steps; going back further
begins it anew. On the photo alone every further step begins with what the one before left.
Only the worker calls this; it needs torch.
"""

import dataclasses
import math
from collections import OrderedDict
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias, TypeVar

from seethrough.draw.strip import strip
from seethrough.errors import RunError
from seethrough.serve.looks import Look
from seethrough.serve.question import StepQuestion
from seethrough.serve.refusal import Refusal
from seethrough.serve.shelf import Shelf
from seethrough.serve.tellings import Told, batch_message, pulls_message, step_message
from seethrough.serve.wire import LearningStepMessage, PullsMessage

if TYPE_CHECKING:
    from collections.abc import Callable

    from torch import Tensor, nn

    from seethrough.classifier import Classifier
    from seethrough.explain.trace import Trace
    from seethrough.learning.batch_step import BatchStep
    from seethrough.learning.continuation import Continuation
    from seethrough.learning.step import LearningStep
    from seethrough.runs.folder import Run

    _OnPhoto: TypeAlias = tuple[Classifier, LearningStep, tuple[float, ...]]

K = TypeVar("K")
V = TypeVar("V")

LONGEST_S = 60.0  # that an answer may take, by what a step took in the training
KEPT = 2  # steps of a continuation: a page asks for several things of one
Key: TypeAlias = tuple[object, ...]
Breath: TypeAlias = "Callable[[], None]"


@dataclass(frozen=True, slots=True)
class _OnBatch:
    """A step of the run, and the network after it."""

    step: "BatchStep"
    module: "nn.Module"
    losses: tuple[float, ...]
    is_exact: bool


@dataclass(frozen=True, slots=True)
class Place:
    """Where a page looks: a photo in a network, and the moment if it is one."""

    look: Look
    run: str
    step: int | None


class Steps:
    """What was asked for last, and a little before it."""

    def __init__(self, shelf: Shelf, longest_s: float = LONGEST_S) -> None:
        self._shelf, self._longest_s = shelf, longest_s
        self._key: Key = ()
        self._training: Continuation | None = None
        self._taken: OrderedDict[int, _OnBatch] = OrderedDict()
        self._alone: OrderedDict[Key, _OnPhoto] = OrderedDict()
        self._after: OrderedDict[Key, Trace] = OrderedDict()

    def message(self, place: Place, asked: StepQuestion, breath: Breath) -> LearningStepMessage:
        """What the steps do to the photo, and to what they learn from."""
        look, label = place.look, place.look.back(asked.label).message.label
        after = self.after(place, asked, breath)
        if asked.batch == "run":
            now = self._on_batch(place, asked, breath)
            batch = batch_message(now.step, is_exact=now.is_exact)
            told = Told(now.step, look.trace, after, now.losses, batch)
        else:
            _, step, losses = self._on_photo(place, asked)
            told = Told(step, look.trace, after, losses, None)
        return step_message(told, label, look.network.weights_sha256, asked)

    def after(self, place: Place, asked: StepQuestion, breath: Breath) -> "Trace":
        """The photo through the network after the steps."""
        if asked.batch == "one":
            return self._on_photo(place, asked)[1].after
        now = self._on_batch(place, asked, breath)
        key = (*self._key, asked.steps, place.look.message.photo.id)
        if key not in self._after:
            classifier = dataclasses.replace(place.look.network.classifier, module=now.module)
            self._after[key] = classifier.trace(place.look.pixels)
        return _newest(self._after, key)

    def change(
        self, place: Place, asked: StepQuestion, breath: Breath
    ) -> "LearningStep | BatchStep":
        """The last of the steps."""
        if asked.batch == "one":
            return self._on_photo(place, asked)[1]
        return self._on_batch(place, asked, breath).step

    def pictures(self, place: Place, asked: StepQuestion, breath: Breath) -> bytes:
        """The photos of the last batch as its step took them, side by side."""
        if asked.batch == "one":
            raise _no_batch()
        images = self._on_batch(place, asked, breath).step.batch.images
        return strip(images.permute(0, 2, 3, 1).contiguous().numpy())

    def pulls(
        self, place: Place, asked: StepQuestion, name: str, index: list[int], breath: Breath
    ) -> PullsMessage:
        """How much each photo of the last batch pulls at one weight."""
        if asked.batch == "one":
            raise _no_batch()
        run = self._shelf.run(place.run)
        step = self._on_batch(place, asked, breath).step
        dataset = self._shelf.dataset(run)
        return pulls_message(step.pulls(name, *index, breath=breath), dataset)

    # ---------------------------------------------------------------- the run's batches

    def _on_batch(self, place: Place, asked: StepQuestion, breath: Breath) -> _OnBatch:
        run, sha256 = self._shelf.run(place.run), place.look.network.weights_sha256
        key = (run.id, sha256, asked.learning_rate, asked.memory)
        if key != self._key:
            self._forget()
            self._key = key
        if asked.steps not in self._taken:
            training = self._training_before(asked.steps, run, place, asked)
            skipped = asked.steps - 1 - len(training.losses)
            _check_time(run, skipped + 1, self._longest_s)
            self._training = None  # what ends within a step is of no use
            training.skip(skipped, asked.learning_rate, breath=breath)
            step = training.take(asked.learning_rate, breath=breath)
            self._training = training
            self._taken[asked.steps] = _OnBatch(
                step, training.module(), tuple(training.losses), training.is_exact
            )
        return _newest(self._taken, asked.steps)

    def _training_before(
        self, steps: int, run: "Run", place: Place, asked: StepQuestion
    ) -> "Continuation":
        """The continuation, where it has taken fewer steps; else a new one."""
        held = self._training
        if held is not None and len(held.losses) < steps:
            return held
        from seethrough.runs.continued import continuation

        _check_memory(run)
        network, dataset = place.look.network, self._shelf.dataset(run)
        module = network.classifier.module
        try:
            return continuation(
                run,
                remembers=asked.memory == "run",
                dataset=dataset,
                network=module,
                weights_sha256=network.weights_sha256,
            )
        except RunError:
            if place.step is None:
                raise
        return continuation(
            run, step=place.step, remembers=asked.memory == "run", dataset=dataset, network=module
        )

    def _forget(self) -> None:
        self._training = None
        self._taken.clear()
        self._after.clear()

    # ---------------------------------------------------------------- the photo alone

    def _on_photo(self, place: Place, asked: StepQuestion) -> "_OnPhoto":
        """The classifier before the last step, that step, and the loss before each."""
        look, label = place.look, place.look.back(asked.label).message.label
        rate, sha256 = asked.learning_rate, look.network.weights_sha256
        key: Key = (place.run, sha256, look.message.photo.id, label, rate, asked.memory)
        first = look.step(label, rate, asked.memory)
        now: _OnPhoto = (look.network.classifier, first, (first.loss,))
        done = 1
        for steps in range(asked.steps, 1, -1):
            if (*key, steps) in self._alone:
                now, done = self._alone[(*key, steps)], steps
                break
        for steps in range(done + 1, asked.steps + 1):
            classifier, last, losses = now
            moved = _moved(classifier, last)
            memory = _tensors(last)
            step = moved.learning_step(
                look.pixels, label, look.recipe, learning_rate=rate, memory=memory
            )
            now = (moved, step, (*losses, step.loss))
            self._alone[(*key, steps)] = now
            _newest(self._alone, (*key, steps))
        return now


def _moved(classifier: "Classifier", step: "LearningStep") -> "Classifier":
    """The classifier with the weights after a step."""
    import copy

    import torch

    module = copy.deepcopy(classifier.module)
    own = module.state_dict()
    with torch.no_grad():
        for name, array in step.new_weights.items():
            own[name].copy_(torch.from_numpy(array))
    return dataclasses.replace(classifier, module=module)


def _tensors(step: "LearningStep") -> "dict[str, Tensor]":
    import torch

    return {name: torch.from_numpy(array) for name, array in step.new_memory.items()}


def _newest(held: OrderedDict[K, V], key: K) -> V:
    held.move_to_end(key)
    while len(held) > KEPT:
        held.popitem(last=False)
    return held[key]


def _no_batch() -> Refusal:
    return Refusal(
        422,
        "A step on the photo alone has no batch.",
        why="it learns from one photo: all of the gradient is its own.",
        fix="ask with batch=run.",
    )


def _check_time(run: "Run", steps: int, longest_s: float) -> None:
    from seethrough.runs.continued import step_seconds

    seconds = step_seconds(run)
    if seconds is None or steps * seconds <= longest_s:
        return
    batch = run.manifest.recipe.batch
    raise Refusal(
        422,
        f"{steps:,} steps on {batch} photos each take too long here."
        if steps > 1
        else f"A step on {batch} photos takes too long here.",
        why=f"in its training a step took {seconds:.1f} s; the studio waits up to {longest_s:g} s.",
        fix="take fewer steps at once, the photo alone, or run.continuation() in Python.",
    )


def _check_memory(run: "Run") -> None:
    from seethrough.train.memory import free_bytes, step_bytes

    recipe = run.manifest.recipe
    images = min(recipe.batch, recipe.micro_batch or recipe.batch)
    numbers = sum(math.prod(size.shape) for size in run.sizes)
    free, wanted = free_bytes(), step_bytes(images, numbers)
    if free is None or wanted <= free:
        return
    raise Refusal(
        422,
        f"There is no memory for a step on {images} photos at once.",
        why=f"it takes about {wanted / 1e9:.1f} GB, and {free / 1e9:.1f} GB are free.",
        fix="close other programs, or take the photo alone.",
    )
