"""A network while it learns: its optimizer, its position, and what the epoch so far amounts to.

Everything here that outlives a step is part of the snapshot, the running statistics of batch
normalisation among the weights. Seconds are the only thing that a resume cannot repeat.
"""

import math
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext

import torch
from torch import Tensor, nn

from seethrough.errors import CheckpointError, RecipeError
from seethrough.model.mode import place_of
from seethrough.train.abandon import Abandoned, hearing
from seethrough.train.average import Average
from seethrough.train.batches import sizes
from seethrough.train.device import dice, wait
from seethrough.train.events import TrainState
from seethrough.train.goal import goal_of
from seethrough.train.memory import is_short
from seethrough.train.motion import Motion
from seethrough.train.optimizers import updates_for
from seethrough.train.pace import EVERYTHING
from seethrough.train.parallel import ALONE, World
from seethrough.train.precision import computing
from seethrough.train.recipe import Recipe
from seethrough.train.slices import Sliced

LEARNING = ("input", "forward", "backward", "update")
_REMEMBERED = 200  # losses
_LONG_S = 0.5  # a step from which on a stop is heard within it
PHASES = (*LEARNING, "evaluation", "saving")


class Learner:
    """The mutable state of one training."""

    def __init__(self, network: nn.Module, recipe: Recipe, world: World = ALONE) -> None:
        world.check(recipe.slices)
        # Convolutions read the channels of a cell together: the order in which the images come.
        self.network = network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        self.recipe = recipe
        self.device, _ = place_of(network)
        self.goal = goal_of(network)
        self.updates = updates_for(network, recipe)
        self.average = Average(network, recipe.ema) if recipe.ema else None
        self._sliced = Sliced(network, recipe.slices, world) if recipe.slices > 1 else None
        self.motion = Motion(network)
        self.class_weights: Tensor | None = None  # how much each class counts; None: all alike
        self.step = 0
        self.epoch = 0
        self.bad_in_a_row = 0
        self.micro_batch = recipe.micro_batch  # or less, once memory was short
        self.losses: list[float] = []  # of the newest steps with a number, in this process
        self.should_stop: Callable[[], bool] | None = None  # None: nobody stops within a step
        self._step_s = math.inf  # of the newest step; the first one may be a long one
        self._statistics = [(buffer, buffer.clone()) for buffer in network.buffers()]
        self._began = time.perf_counter()
        self._before_s = 0.0  # seconds of training before this process
        self.begin_epoch()

    def begin_epoch(self) -> None:
        """Set the sums of the epoch to zero."""
        self.seen, self.correct, self.bad, self.loss_sum = 0, 0, 0, 0.0
        self.time_s = dict.fromkeys(PHASES, 0.0)
        self.motion.begin_epoch()

    def elapsed_s(self) -> float:
        """Seconds of training so far, those before a resume included."""
        return self._before_s + time.perf_counter() - self._began

    @contextmanager
    def clock(self, phase: str) -> Iterator[None]:
        """Count the seconds inside as this phase's."""
        began = time.perf_counter()
        try:
            yield
        finally:
            wait(self.device.type)
            self.time_s[phase] += time.perf_counter() - began

    def learn(
        self,
        images: Tensor,
        targets: Tensor,
        lr: float,
        shares: Mapping[str, float] = EVERYTHING,
        *,
        is_measured: bool = False,
        count: int | None = None,
    ) -> float | None:
        """Take one step; the loss of its batch, or None: it was no number and nothing changed.

        Targets are as in `train.goal`. Of a batch of
        `count` images that several processes share, they are those of `part`. Where it
        `is_measured`, how far each layer moves is kept. Abandoned where `should_stop` says yes
        within a long step: nothing changed, as if it had not begun.
        """
        began = time.perf_counter()
        self.step += 1
        count = len(targets) if count is None else count
        with self.clock("input"):
            images, targets = images.to(self.device), targets.to(self.device)
        for buffer, kept in self._statistics:
            kept.copy_(buffer)
        try:
            with self._heard():
                found = self._fitting_gradients(images, targets, count)
        except Abandoned:
            self._undo()
            self.step -= 1
            raise
        if found is not None and not self._update(lr, shares, is_measured=is_measured):
            found = None
        self.seen += count
        self._step_s = time.perf_counter() - began
        if found is None:
            self._undo()
            self.bad += 1
            self.bad_in_a_row += 1
            return None
        value, correct = found
        self.bad_in_a_row = 0
        self.losses = [*self.losses[1 - _REMEMBERED :], value]
        self.loss_sum += value * count
        self.correct += correct
        return value

    def _update(self, lr: float, shares: Mapping[str, float], *, is_measured: bool) -> bool:
        """Move the weights along their gradients; False: one was no number, and none moved."""
        with self.clock("update"):
            norms = self.motion.norms()
            if not bool(torch.isfinite(torch.linalg.vector_norm(norms))):
                return False
            before = self.motion.weights() if is_measured else None
            self.updates.step(lr, shares)
            self.motion.follow(norms, before)
            if self.average is not None:
                self.average.follow(self.step)
        return True

    def _heard(self) -> AbstractContextManager[None]:
        """Within which a stop is heard; short steps need not be asked, and cost nothing."""
        if self.should_stop is None or self._step_s < _LONG_S:
            return nullcontext()
        return hearing(self.should_stop)

    def _undo(self) -> None:
        """The gradients and running statistics of a step that is not taken."""
        self.network.zero_grad(set_to_none=True)
        for buffer, kept in self._statistics:
            buffer.copy_(kept)

    def part(self, images: int) -> tuple[int, int]:
        """Which images of a batch this process computes: from the first to before the second."""
        return (0, images) if self._sliced is None else self._sliced.part(images)

    def _fitting_gradients(
        self, images: Tensor, targets: Tensor, count: int
    ) -> tuple[float, int] | None:
        """The gradients of a batch, in smaller parts from now on where memory does not suffice."""
        while True:
            try:
                if self._sliced is None:
                    return self._gradients(images, targets)
                return self._sliced_gradients(self._sliced, images, targets, count)
            except (RuntimeError, MemoryError) as error:
                if not is_short(error):
                    raise
                at_once = -(-count // self.recipe.slices)
                at_once = min(at_once, self.micro_batch or at_once)
                if at_once <= 2:
                    raise _no_memory(at_once) from error
                self.micro_batch = max(2, at_once // 2)
            self._undo()

    def _sliced_gradients(
        self, sliced: Sliced, images: Tensor, targets: Tensor, count: int
    ) -> tuple[float, int] | None:
        """As `_gradients`, over the slices of a batch; adding up and waiting count as update."""

        def compute(number: int, start: int, end: int) -> tuple[float, int] | None:
            return self._gradients(images[start:end], targets[start:end], number)

        inside = self.time_s["forward"] + self.time_s["backward"]
        with self.clock("update"):
            found = sliced.gradients(compute, count, [kept for _, kept in self._statistics])
        self.time_s["update"] -= self.time_s["forward"] + self.time_s["backward"] - inside
        return found

    def _gradients(
        self, images: Tensor, targets: Tensor, number: int = 0
    ) -> tuple[float, int] | None:
        """Loss of a slice and how many it has right, once gradients are there; None: no number."""
        self.network.zero_grad(set_to_none=True)
        with _drawn(dice(self.device), self.recipe.seed, self.step, number):
            return self._in_parts(images, targets)

    def _in_parts(self, images: Tensor, targets: Tensor) -> tuple[float, int] | None:
        """As `_gradients`; of several parts the mean of their losses, weighted by their images."""
        count, most = len(targets), self.micro_batch
        parts = sizes(count, most) if 0 < most < count else [count]
        loss_sum, correct, start = 0.0, 0, 0
        for size in parts:
            wanted = targets[start : start + size]
            with self.clock("forward"):
                with computing(self.recipe.precision, self.device.type):
                    logits = self.goal.logits(self.network, images[start : start + size])
                weights = self.class_weights
                weights = None if weights is None else weights.to(self.device)
                part = self.goal.loss(logits, wanted, self.recipe, weights)
                if size < count:
                    part = part * (size / count)
                value = part.item()
            if not math.isfinite(value):
                return None
            with self.clock("backward"):
                part.backward()  # type: ignore[no-untyped-call]
            correct += int(self.goal.right(logits.detach(), wanted).sum())
            loss_sum, start = loss_sum + value, start + size
        return loss_sum, correct

    @contextmanager
    def in_use(self) -> Iterator[None]:
        """The network as it is judged and used inside: with its averaged weights, if it has any."""
        if self.average is None or self.average.is_in_use:
            yield
            return
        self.average.trade()
        try:
            yield
        finally:
            self.average.trade()

    def settle(self) -> None:
        """Leave the averaged weights, if there are any, in the network for good."""
        if self.average is not None and not self.average.is_in_use:
            self.average.trade()

    def is_finite(self) -> bool:
        """Whether every weight is a number."""
        return all(
            bool(torch.isfinite(tensor).all())
            for tensor in self.network.state_dict().values()
            if tensor.is_floating_point()
        )

    def judged(self) -> Mapping[str, Tensor]:
        """The module's state with which it is judged and used; not a copy."""
        if self.average is not None:
            return self.average.average()
        state: Mapping[str, Tensor] = self.network.state_dict()
        return state

    def state(self) -> TrainState:
        """A copy of everything, to go on from anywhere."""
        tensors = {f"weights.{name}": tensor for name, tensor in self.judged().items()}
        if self.average is not None:
            learning = self.average.weights()
            tensors |= {f"learning.{name}": tensor for name, tensor in learning.items()}
        for name, tensor in self.updates.tensors():
            tensors[f"optimizer.{name}"] = tensor
        return TrainState(
            step=self.step,
            epoch=self.epoch,
            tensors={
                name: tensor.detach().to("cpu", copy=True) for name, tensor in tensors.items()
            },
            scalars={
                "seen": self.seen,
                "correct": self.correct,
                "bad": self.bad,
                "bad_in_a_row": self.bad_in_a_row,
                "loss_sum": self.loss_sum,
                "elapsed_s": self.elapsed_s(),
                **{f"time_s.{phase}": seconds for phase, seconds in self.time_s.items()},
                **self.motion.scalars(),
                **self._shrunk(),
            },
        )

    def _shrunk(self) -> dict[str, int]:
        is_as_asked = self.micro_batch == self.recipe.micro_batch
        return {} if is_as_asked else {"micro_batch": self.micro_batch}

    def restore(self, state: TrainState) -> None:
        """Go back to a state that `state` gave."""
        weights = _part(state, "weights." if self.average is None else "learning.")
        try:
            self.network.load_state_dict(weights, strict=True)
        except RuntimeError as error:
            raise CheckpointError(
                "The checkpoint does not fit the network.",
                why=f"{error}.",
                fix="resume the run that wrote it, or start a new one.",
            ) from error
        if self.average is not None:
            self.average.restore(_part(state, "weights."))
        self.updates.restore(_part(state, "optimizer."))
        self.step, self.epoch = state.step, state.epoch
        scalars = state.scalars
        self.seen, self.correct = int(scalars["seen"]), int(scalars["correct"])
        self.bad, self.bad_in_a_row = int(scalars["bad"]), int(scalars["bad_in_a_row"])
        self.loss_sum = float(scalars["loss_sum"])
        self.time_s = {phase: float(scalars.get(f"time_s.{phase}", 0.0)) for phase in PHASES}
        self.motion.restore(scalars)
        self.micro_batch = int(scalars.get("micro_batch", self.recipe.micro_batch))
        self._before_s = float(scalars["elapsed_s"])
        self._began = time.perf_counter()


def _no_memory(images: int) -> RecipeError:
    return RecipeError(
        f"There is no memory to learn from {images} images at once.",
        why="the system gave none for their activations, and they cannot be divided further.",
        fix="close other programs, or take a smaller network or smaller images (--image-px).",
    )


@contextmanager
def _drawn(generator: torch.Generator, seed: int, step: int, number: int) -> Iterator[None]:
    """Random numbers by seed, step and slice inside (dropout); outside as if none was drawn.

    A resumed training leaves out what the first one left out, without keeping the generator.
    """
    state = generator.get_state()
    try:
        generator.manual_seed((seed * 1_000_003 + step + (number << 40)) % 2**63)
        yield
    finally:
        generator.set_state(state)


def _part(state: TrainState, prefix: str) -> dict[str, Tensor]:
    return {
        name.removeprefix(prefix): tensor
        for name, tensor in state.tensors.items()
        if name.startswith(prefix)
    }
