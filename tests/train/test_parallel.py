"""parallel.py: real processes over the loopback; what they know and what comes out is the same."""

import itertools
import os
import signal
from dataclasses import replace

import numpy as np
import pytest
import torch
from tests.train.small import digest, last_state, learn, network
from tests.train.tinted import tinted
from tests.train.together import forked, free_port, together

from seethrough.data.dataset import Split
from seethrough.errors import ParallelError, RecipeError
from seethrough.train import evaluation
from seethrough.train.events import EpochEnd, Snapshot, Step, Stopped
from seethrough.train.loop import never
from seethrough.train.parallel import joined
from seethrough.train.recipe import Optimizer, Precision, Recipe
from seethrough.train.tree import Tree

RECIPE = Recipe(epochs=2, batch=16, peak_lr=0.05, shift_px=1, seed=4, slices=4)
STEPS = 6  # 44 images, 2 epochs


def numbers(seen):
    """What the events tell, without what clocks said."""
    steps = [(e.step, e.loss, e.lr) for e in seen if isinstance(e, Step)]
    ends = [
        (e.epoch, e.train_loss, e.train_accuracy, e.test_loss, e.test_accuracy)
        for e in seen
        if isinstance(e, EpochEnd)
    ]
    return steps, ends


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"slices": 3, "mixup": 0.4, "optimizer": Optimizer.MUON},
        {"slices": 3, "precision": Precision.BFLOAT16},
        {"slices": 4, "cutmix": 1.0, "focal": 2.0, "class_weights": True},
        {"slices": 7, "micro_batch": 2, "ema": 0.9, "optimizer": Optimizer.ADAMW},
    ],
)
def test_one_two_and_three_processes_learn_the_same_bits(photos, changes):
    recipe = replace(RECIPE, **changes)

    def work(world):
        seen = list(learn(network(photos), photos, recipe, world=world))
        return digest(last_state(seen)), numbers(seen)

    answers = [answer for size in (1, 2, 3) for answer in together(size, work)]
    assert len(answers) == 6
    assert all(answer == answers[0] for answer in answers)


class Noting(torch.nn.Module):
    """Remembers the digest of every image that it learns from."""

    def __init__(self, inner):
        super().__init__()
        self.inner, self.seen = inner, []

    def forward(self, images):
        if self.training:
            self.seen += [hash(image.numpy().tobytes()) for image in images]
        return self.inner(images)


@pytest.mark.parametrize(
    "stops",
    [pytest.param((2, 3), id="some"), pytest.param(range(1, 6), id="all", marks=pytest.mark.full)],
)
def test_stopped_after_any_step_and_resumed_by_another_number_it_is_the_same_training(
    photos, stops
):
    """Ranks 1 and 2 before the stop, 1 and 2 after it: weights, curves, and images of each step."""
    ways = [(stop, before, after) for stop in stops for before in (1, 2) for after in (1, 2)]

    def work(world, size, stop, state):
        """One part of a way, or, where there is no stop, all of the training."""
        module, seen, images = Noting(network(photos)), [], []
        enough = (lambda: sum(isinstance(e, Step) for e in seen) >= stop) if stop else never
        going = learn(module, photos, RECIPE, world=world, resume=state, should_stop=enough)
        for event in going:
            seen.append(event)
            if isinstance(event, Step):
                images.append(module.seen)
                module.seen = []
        snapshot = [e.state for e in seen if isinstance(e, Snapshot)][-1]
        return numbers(seen), images, snapshot, digest(snapshot.tensors), type(seen[-1])

    def part(size, stop, state):
        answers = together(size, lambda world: work(world, size, stop, state))
        merged = [
            list(itertools.chain(*step)) for step in zip(*(a[1] for a in answers), strict=True)
        ]
        assert len({a[3] for a in answers}) == 1
        return answers[0][0], merged, answers[0][2], answers[0][3], answers[0][4]

    whole, images, _, wanted, _ = part(1, 0, None)
    assert [len(step) for step in images] == [16, 16, 12, 16, 16, 12]
    for stop, before, after in ways:
        first = part(before, stop, None)
        assert first[4] is Stopped
        assert first[2].step == stop
        second = part(after, 0, first[2])
        assert second[3] == wanted
        assert first[1] + second[1] == images
        assert [a + b for a, b in zip(first[0], second[0], strict=True)] == list(whole)


def test_two_then_one_then_two_processes_are_the_training_of_one(photos):
    def work(world, stop, state):
        seen = []
        for event in learn(
            network(photos, seed=7 if state else 0),
            photos,
            RECIPE,
            world=world,
            resume=state if world.leads else None,  # the others are told
            should_stop=lambda: sum(isinstance(e, Step) for e in seen) >= stop,
        ):
            seen.append(event)
        return [e.state for e in seen if isinstance(e, Snapshot)][-1]

    state = None
    for size, stop in ((2, 2), (1, 2), (2, 9)):
        answers = together(size, lambda world, stop=stop, state=state: work(world, stop, state))
        assert len({digest(answer.tensors) for answer in answers}) == 1
        state = answers[0]
    alone = list(learn(network(photos), photos, RECIPE))
    assert digest(state.tensors) == digest(last_state(alone))


@pytest.mark.parametrize(
    "counts",
    [
        pytest.param((1, 2, 7, 8, 14, 64, 100, 255, 256, 257), id="some"),
        pytest.param(range(1, 258), id="1 to 257", marks=pytest.mark.full),
    ],
)
def test_every_image_is_judged_exactly_once(counts):
    """In batches of 7, and as in trainings: integers equal to a count by hand."""
    everything = tinted(2, 257)
    module = network(everything).eval()
    with torch.no_grad():
        logits = module(evaluation.pixels(everything, np.arange(len(everything.labels))))
    right = (logits.argmax(1).numpy() == everything.labels).astype(int)
    index = everything.indices(Split.TEST)

    def work(world):
        found = []
        for count in counts:
            options = {"world": world, "should_stop": never}
            for batch in (7, None):
                score = evaluation.score(module, everything, index[:count], batch=batch, **options)
                found.append((count, score.accuracy * count, score.loss))
        return found

    answers = [answer for size in (1, 2, 3) for answer in together(size, work)]
    assert len(answers) == 6
    assert all(answer == answers[0] for answer in answers)
    sums = np.cumsum(right[index])
    assert 0 < sums[-1] < len(index)
    for count, correct, _ in answers[0]:
        assert correct == pytest.approx(sums[count - 1], abs=1e-9)


def test_a_stop_that_one_process_wishes_stops_all_at_the_same_step(photos):
    def work(world):
        seen = []
        for event in learn(
            network(photos),
            photos,
            RECIPE,
            world=world,
            should_stop=lambda: world.rank == 1 and sum(isinstance(e, Step) for e in seen) >= 2,
        ):
            seen.append(event)
        return seen[-1].step, type(seen[-1])

    assert together(2, work) == [(2, Stopped)] * 2


def test_the_learning_rate_is_what_the_first_process_turned_it_to(photos):
    def work(world):
        going = learn(
            network(photos),
            photos,
            RECIPE,
            world=world,
            rate_factor=lambda step: 1 / (1 + 9 * world.rank),
        )
        return [event.lr for event in going if isinstance(event, Step)]

    (alone,) = together(1, work)
    assert together(2, work) == [alone, alone]


def test_numbers_of_any_length_are_added_up_along_the_tree():
    """Also fewer numbers than processes, and processes without a slice."""

    def work(world):
        totals = []
        for slices, size in ((1, 5), (2, 1), (5, 2), (6, 1000)):
            rng = np.random.default_rng(slices)
            every = rng.normal(size=(slices, size)).astype(np.float32)
            tree = Tree()
            for number in world.own(slices):
                tree.add(number, 0, torch.from_numpy(every[number].copy()))
            totals.append(world.total(tree, torch.empty(size), slices).numpy().tobytes())
        return totals

    (alone,) = together(1, work)
    assert together(3, work) == [alone] * 3


def test_more_processes_than_slices_are_refused(photos):
    def work(world):
        with pytest.raises(RecipeError, match="2 processes cannot share a batch of slices=1"):
            list(learn(network(photos), photos, replace(RECIPE, slices=1), world=world))
        return "refused"

    assert together(2, work) == ["refused"] * 2


def ended(started):
    codes = [os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) for child, _ in started]
    answers = []
    for _, pipe in started:
        with os.fdopen(pipe, "rb") as said:
            answers.append(said.read())
    return codes, answers


@pytest.mark.parametrize(
    "gone",
    [pytest.param(rank, marks=[] if rank == 0 else pytest.mark.full) for rank in (0, 1, 2)],
)
def test_where_one_process_is_killed_the_others_end_and_name_it(photos, gone):
    def train():
        with joined() as world:
            for event in learn(network(photos), photos, RECIPE, world=world):
                if isinstance(event, Step) and event.step == 2 and world.rank == gone:
                    os.kill(os.getpid(), signal.SIGKILL)

    def work(rank):
        with pytest.raises(ParallelError) as caught:
            train()
        return str(caught.value)

    codes, answers = ended(forked(3, work))
    assert codes == [-signal.SIGKILL if rank == gone else 0 for rank in range(3)]
    for rank in {0, 1, 2} - {gone}:
        assert f"The process with rank {gone} of the 3" in answers[rank].decode(errors="replace")


def test_where_one_process_fails_the_others_tell_why(photos):
    def train():
        with joined() as world:
            for event in learn(network(photos), photos, RECIPE, world=world):
                if isinstance(event, Step) and world.rank == 1:
                    raise ValueError("the roof leaks")

    def work(rank):
        with pytest.raises(ValueError if rank == 1 else ParallelError, match="roof") as caught:
            train()
        return str(caught.value)

    codes, answers = ended(forked(2, work))
    assert codes == [0, 0]
    told = answers[0].decode(errors="replace")
    assert "The process with rank 1 of the 2" in told
    assert "ValueError: the roof leaks" in told


def test_without_others_a_world_is_one(monkeypatch):
    monkeypatch.setenv("RANK", "0")
    monkeypatch.setenv("WORLD_SIZE", "1")
    monkeypatch.setenv("MASTER_ADDR", "127.0.0.1")
    monkeypatch.setenv("MASTER_PORT", str(free_port()))
    with joined() as world:
        assert (world.size, world.leads, world.speaks) == (1, True, True)
