"""loop.py: exact under repetition and interruption, and the same as a plain loop written out."""

import subprocess
import sys

import numpy as np
import pytest
import torch
from tests.train.going import (
    RECIPE,
    STEPS,
    digest,
    epochs,
    events,
    learn,
    network,
    states,
    steps,
    until,
)
from torch.nn import functional

from seethrough.data.split import Split
from seethrough.errors import CheckpointError
from seethrough.model.build import build
from seethrough.model.spec import parse
from seethrough.train.batches import Batches
from seethrough.train.events import Done, EpochEnd, Snapshot, Started, Stopped
from seethrough.train.loop import train
from seethrough.train.place import Place
from seethrough.train.recipe import Optimizer, Recipe
from seethrough.train.schedule import learning_rate


@pytest.fixture
def whole(photos):
    """The events of a training that nobody disturbed."""
    return events(photos)


def test_events_come_in_the_order_that_is_promised(whole, photos):
    kinds = [type(event).__name__ for event in whole]
    epoch = ["Step"] * 6 + ["EpochEnd", "Snapshot"]
    without_moments = [kind for kind in kinds if kind != "MomentDue"]
    assert without_moments == ["Started", "EpochEnd", *epoch, *epoch, *epoch, "Done"]
    assert whole[0] == Started(
        epochs=3, steps=STEPS, images=44, test_images=9, classes=photos.classes, watched=()
    )
    assert [step for step, *_ in steps(whole)] == list(range(1, STEPS + 1))
    assert [(state.step, state.epoch) for state in states(whole)] == [(6, 1), (12, 2), (18, 3)]
    assert whole[-1].step == STEPS


def test_the_same_seed_gives_the_same_weights_and_another_seed_others(photos, whole):
    again = events(photos)
    assert digest(states(again)[-1].tensors) == digest(states(whole)[-1].tensors)
    assert steps(again) == steps(whole)
    other = events(photos, Recipe(epochs=3, batch=8, peak_lr=0.05, shift_px=1, seed=5))
    assert digest(states(other)[-1].tensors) != digest(states(whole)[-1].tensors)


@pytest.mark.parametrize("optimizer", list(Optimizer))
def test_the_weights_are_those_of_a_plain_loop(photos, optimizer):
    recipe = Recipe(
        epochs=2, batch=8, peak_lr=0.01, optimizer=optimizer, shift_px=1, weight_decay=0.01
    )
    module = network(photos)
    trained = list(learn(module, photos, recipe))
    plain = network(photos).to(memory_format=torch.channels_last)
    kernels = [p for p in plain.parameters() if p.ndim > 1]
    others = [p for p in plain.parameters() if p.ndim == 1]
    groups = [
        {"params": kernels, "weight_decay": 0.01},
        {"params": others, "weight_decay": 0.0},
    ]
    if optimizer is Optimizer.SGD:
        rule = torch.optim.SGD(groups, lr=0.01, momentum=0.9, nesterov=True)
    else:
        rule = torch.optim.AdamW(groups, lr=0.01, betas=(0.9, 0.999))
    losses, step = [], 0
    for epoch in (1, 2):
        for images, labels in Batches.of(photos, recipe).epoch(epoch):
            step += 1
            for group in rule.param_groups:
                group["lr"] = learning_rate(step, 12, recipe)
            rule.zero_grad()
            # cross-entropy with smoothed labels, from its definition
            target = functional.one_hot(labels, 3) * 0.9 + 0.1 / 3
            loss = -(target * plain(images).log_softmax(1)).sum(1).mean()
            loss.backward()
            rule.step()
            losses.append(loss.item())
    assert [loss for *_, loss, _ in steps(trained)] == pytest.approx(losses, rel=1e-4)
    for name, tensor in plain.state_dict().items():
        torch.testing.assert_close(module.state_dict()[name], tensor, rtol=1e-3, atol=1e-5)


def test_the_curves_count_what_a_second_look_counts(photos, whole):
    module = network(photos)
    last = None
    for event in learn(module, photos, RECIPE):
        if isinstance(event, EpochEnd):
            last = event
    index = photos.indices(Split.TEST)
    module.eval()
    with torch.no_grad():
        shares = torch.stack(
            [
                module(torch.from_numpy(photos.images[i]).permute(2, 0, 1)[None]).softmax(1)[0]
                for i in index
            ]
        ).double()
    labels = photos.labels[index]
    assert last.test_accuracy == np.mean(shares.argmax(1).numpy() == labels)
    own = shares[np.arange(len(labels)), labels]
    assert last.test_loss == pytest.approx(float(-own.log().mean()), rel=1e-4)
    of_epoch = [loss for _, epoch, loss, _ in steps(whole) if epoch == 3]
    weighted = np.average(of_epoch, weights=[8, 8, 8, 8, 8, 4])
    assert last.train_loss == pytest.approx(weighted)
    assert [*last.time_s] == ["input", "forward", "backward", "update", "evaluation", "saving"]
    assert min(last.time_s.values()) > 0
    assert sum(last.time_s.values()) <= last.elapsed_s


def test_it_learns_what_can_be_learned(make_photos):
    easy = make_photos(120, 60)
    recipe = Recipe(epochs=8, batch=16, peak_lr=0.05, shift_px=1)
    last = [event for event in events(easy, recipe) if isinstance(event, EpochEnd)][-1]
    assert last.test_accuracy > 0.9


@pytest.mark.parametrize("optimizer", list(Optimizer))
def test_stopped_after_any_step_and_resumed_it_ends_with_the_same_bits(photos, optimizer):
    recipe = Recipe(
        epochs=2, batch=8, peak_lr=0.02, shift_px=1, optimizer=optimizer, label_smoothing=0.0
    )
    undisturbed = events(photos, recipe)
    wanted = digest(states(undisturbed)[-1].tensors)
    for number in range(1, 12):
        first = until(number, photos, recipe)
        assert isinstance(first[-1], Stopped)
        kept = states(first)[-1]
        assert kept.step == number
        # another network, untrained and with other weights: everything must come from the state
        second = list(learn(network(photos, seed=9), photos, recipe, resume=kept))
        assert digest(states(second)[-1].tensors) == wanted
        assert steps(first) + steps(second) == steps(undisturbed)
        assert epochs(first) + epochs(second) == epochs(undisturbed)
        assert not any(isinstance(event, Started) for event in second)


def test_stopped_after_every_second_step_it_ends_with_the_same_bits(photos, whole):
    seen = until(2, photos)
    while not isinstance(seen[-1], Done):
        assert len(steps(seen)) <= STEPS
        seen += until(2, photos, resume=states(seen)[-1])
    assert steps(seen) == steps(whole)
    assert epochs(seen) == epochs(whole)
    assert digest(states(seen)[-1].tensors) == digest(states(whole)[-1].tensors)


def test_a_stop_within_an_evaluation_leaves_the_evaluation_to_the_resumed_training(photos, whole):
    seen = until(6, photos)
    assert [type(event).__name__ for event in seen[-2:]] == ["Snapshot", "Stopped"]
    assert (states(seen)[-1].step, states(seen)[-1].epoch) == (6, 0)
    rest = list(learn(network(photos), photos, RECIPE, resume=states(seen)[-1]))
    assert isinstance(rest[0], EpochEnd)
    assert epochs(seen) + epochs(rest) == epochs(whole)


def test_a_stop_before_the_first_step_keeps_nothing(photos):
    seen = events(photos, should_stop=lambda: True)
    assert [type(event).__name__ for event in seen] == ["Started", "Stopped"]


def test_a_finished_training_resumed_is_done_at_once(photos, whole):
    rest = list(learn(network(photos), photos, RECIPE, resume=states(whole)[-1]))
    assert [type(event).__name__ for event in rest] == ["Done"]


def test_a_snapshot_does_not_change_when_training_goes_on(photos):
    taken = []
    for event in learn(network(photos), photos, RECIPE):
        if isinstance(event, Snapshot):
            taken.append((event.state, digest(event.state.tensors)))
    assert all(digest(state.tensors) == before for state, before in taken)
    assert len({before for _, before in taken}) == 3


def test_running_statistics_are_part_of_a_snapshot(whole):
    names = states(whole)[-1].tensors
    assert {"weights.norm1.running_mean", "weights.norm1.running_var"} <= names.keys()
    assert names["weights.norm1.num_batches_tracked"] == STEPS


def test_a_state_of_another_network_is_refused(photos, whole):
    spec = parse("conv 5 k3 p1, norm, relu, maxpool 3, flatten, dense", image_px=12)
    other = build(spec, num_classes=3, mean=(0.0,) * 3, std=(1.0,) * 3, seed=0)
    with pytest.raises(CheckpointError, match="checkpoint does not fit the network"):
        list(learn(other, photos, RECIPE, resume=states(whole)[0]))


def test_watched_images_and_first_kernels_are_told_after_every_epoch(photos):
    watched = [int(i) for i in photos.indices(Split.TEST)[:2]]
    module = network(photos)
    for event in learn(module, photos, RECIPE, watched=watched):
        if isinstance(event, EpochEnd):
            assert [each.index for each in event.watched] == watched
            assert all(sum(each.probabilities) == pytest.approx(1) for each in event.watched)
            assert all(
                each.label == photos.classes[int(np.argmax(each.probabilities))]
                for each in event.watched
            )
            assert np.array_equal(event.kernels, module.conv1.weight.detach().numpy())


def test_torch_is_left_as_it_was_found(photos):
    threads = torch.get_num_threads()
    state = torch.get_rng_state()
    going = train(network(photos), photos, RECIPE, place=Place(threads=1))
    next(going)
    assert torch.are_deterministic_algorithms_enabled()
    assert torch.get_num_threads() == 1
    going.close()
    assert not torch.are_deterministic_algorithms_enabled()
    assert torch.get_num_threads() == threads
    list(learn(network(photos), photos, RECIPE))
    assert torch.equal(torch.get_rng_state(), state)


def test_without_test_images_there_is_no_test_score(make_photos):
    alone = make_photos(24, 0)
    last = [event for event in events(alone) if isinstance(event, EpochEnd)][-1]
    assert last.test_loss is None
    assert last.test_accuracy is None
    assert last.train_accuracy is not None


def test_training_does_not_load_the_compiler():
    code = (
        "import sys\n"
        "from seethrough.train.loop import train\n"
        "from seethrough.train.recipe import Recipe\n"
        "from seethrough.model.build import build\n"
        "from seethrough.model.spec import parse\n"
        "from tests.train.tinted import tinted\n"
        "spec = parse('conv 4 k3, norm, relu, flatten, dense', image_px=12)\n"
        "module = build(spec, num_classes=3, mean=[0.0] * 3, std=[1.0] * 3, seed=0)\n"
        "list(train(module, tinted(8, 4), Recipe(epochs=1, batch=4)))\n"
        "print('torch._dynamo' in sys.modules)\n"
    )
    said = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert said.stdout == "False\n"
