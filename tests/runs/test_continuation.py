"""A run's training gone on with on a copy: the very weights that the run itself has next."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from seethrough.errors import LayerError, RunError
from seethrough.model.presets import asked_for
from seethrough.model.spec import parse
from seethrough.runs import checkpoints, past
from seethrough.runs.continued import continuation, step_seconds
from seethrough.runs.creation import create
from seethrough.runs.record import record
from seethrough.train.place import Place
from seethrough.train.recipe import Optimizer, Precision, Recipe

from .test_code import NETS

PLACE = Place(threads=1)

RECIPES = {
    "momentum": {},
    "adamw": {"optimizer": Optimizer.ADAMW, "peak_lr": 0.003},
    "muon": {"optimizer": Optimizer.MUON, "peak_lr": 0.01, "unit_kernels": True},
    "focal": {"focal": 2.0, "class_weights": True, "colour": 0.2, "cutout_px": 3},
    "mixup": {"mixup": 0.4},
    "cutmix": {"cutmix": 1.0, "alternate": True},
    "slices": {"slices": 3},
    "parts": {"micro_batch": 6},
    "average": {"ema": 0.9},
    "rounded": {"precision": Precision.BFLOAT16},
    "sliced parts": {"slices": 2, "micro_batch": 3, "mixup": 0.2},
}


def kept(run):
    found = checkpoints.newest(run.folder)
    assert found is not None
    return found.state


def learning(state):
    """The weights that learn; of a run that averages them they stand beside the average."""
    own = {n[9:]: t for n, t in state.tensors.items() if n.startswith("learning.")}
    judged = {n[8:]: t for n, t in state.tensors.items() if n.startswith("weights.")}
    return own or judged, judged


def same(arrays, tensors):
    assert arrays
    for name, array in arrays.items():
        assert np.array_equal(array, tensors[name].numpy()), name


@pytest.mark.parametrize("stop_after", [2, 3])
@pytest.mark.parametrize("name", RECIPES)
def test_the_next_step_gives_the_very_weights_of_the_resumed_training(
    name, stop_after, make_run, go, photos
):
    run = make_run(**RECIPES[name])
    go(run, stop_after=stop_after)
    before, _ = learning(kept(run))
    training = continuation(run, dataset=photos)
    assert (training.step, training.is_exact) == (stop_after, True)
    steps = [training.take(), training.take()]
    lines = [line for line in go(run, stop_after=2) if line["kind"] == "step"]
    after, judged = learning(kept(run))
    same(steps[0].weights, before)
    same(steps[1].new_weights, after)
    same(
        steps[1].new_memory,
        {n[10:]: t for n, t in kept(run).tensors.items() if n[:10] == "optimizer."},
    )
    assert not np.array_equal(steps[0].weights["dense1.weight"], after["dense1.weight"].numpy())
    for tensor, told in training.module().state_dict().items():
        assert torch.equal(told, judged[tensor]), tensor
    # what the log says of these steps, to the last bit
    assert [step.loss for step in steps] == [line["loss"] for line in lines]
    assert [step.learning_rate for step in steps] == [line["lr"] for line in lines]
    assert [(s.batch.step, s.batch.epoch) for s in steps] == [
        (line["step"], line["epoch"]) for line in lines
    ]
    assert steps[0].batch.number == stop_after % 3 + 1
    assert training.is_exact


def test_kernels_that_muon_moves_are_taken_apart_in_the_run_s_own_steps(photos, tmp_path, go):
    layers = "conv 4 k3 p1, norm, relu, maxpool 2, conv 5 k3 p1, norm, relu, flatten, dense"
    recipe = Recipe(epochs=3, batch=16, seed=4, **RECIPES["muon"])
    spec = parse(layers, image_px=12)
    run = create(photos, spec, recipe, runs_dir=tmp_path / "runs", place=PLACE)
    go(run, stop_after=2)
    training = continuation(run, dataset=photos)
    steps = [training.take(), training.take()]
    go(run, stop_after=2)
    same(steps[1].new_weights, learning(kept(run))[0])
    for step in steps:
        assert step.memory["conv2.weight.momentum"].any()
        for place in [(0, 0, 0, 0), (4, 3, 1, 2)]:
            update = step.update("conv2.weight", *place)
            lines = {line.name: line for line in update.lines}
            assert len([name for name in lines if name.startswith("Newton–Schulz")]) == 5
            assert lines["momentum"].framework == step.new_memory["conv2.weight.momentum"][place]
            assert lines["momentum"].value == pytest.approx(lines["momentum"].framework, rel=1e-5)
            assert update.framework == step.new_weights["conv2.weight"][place]
            assert abs(update.difference) <= update.tolerance < 1e-3 * abs(update.change) + 1e-4


def test_drop_out_and_a_first_layer_that_is_held_are_the_training_s_own(photos, tmp_path, go):
    path = tmp_path / "nets.py"
    path.write_text(NETS)
    recipe = Recipe(epochs=3, batch=16, peak_lr=0.02, whiten=True, seed=4)
    spec = asked_for(f"{path}:make", 12)
    run = create(photos, spec, recipe, runs_dir=tmp_path / "runs", place=PLACE)
    go(run, stop_after=4)
    step = continuation(run, dataset=photos).take()
    loss = [line["loss"] for line in go(run, stop_after=1) if line["kind"] == "step"]
    same(step.new_weights, learning(kept(run))[0])
    assert [step.loss] == loss
    held = next(name for name in dict(run.classifier.module.named_parameters()))
    assert held not in step.weights
    with pytest.raises(LayerError, match="There is no weight"):
        step.pulls(held, 0, 0, 0, 0)


def test_a_step_on_shrunk_photos_is_the_training_s_and_taken_apart(photos, tmp_path, go):
    spec = parse("conv 4 k3 p1, norm, relu, maxpool 8, flatten, dense", image_px=12)
    recipe = Recipe(epochs=2, batch=16, small_px=8, seed=4)  # 3 steps at 8 px, 3 at 12
    run = create(photos, spec, recipe, runs_dir=tmp_path / "runs", place=PLACE)
    go(run, stop_after=1)
    training = continuation(run, dataset=photos)
    steps = [training.take() for _ in range(3)]  # the last one at 12 px
    assert [step.batch.images.shape[-1] for step in steps] == [8, 8, 12]
    go(run, stop_after=3)
    same(steps[2].new_weights, learning(kept(run))[0])
    for step in steps:
        pulls = step.pulls("conv1.weight", 1, 2, 0, 0)
        assert pulls.framework == step.gradients["conv1.weight"][1, 2, 0, 0]
        assert pulls.gradient == pytest.approx(pulls.framework, rel=1e-4, abs=1e-7)


def test_layers_that_wait_and_layers_that_are_slow_do_so_here(make_run, go, photos, tmp_path):
    """A run that began with another's weights: first its new head alone, then all, slowly."""
    first = make_run()
    go(first)
    classes = tuple(f"new {name}" for name in photos.classes)
    others = replace(photos, classes=classes)
    recipe = replace(first.manifest.recipe, epochs=5)
    run = create(others, first.network, recipe, runs_dir=tmp_path / "b", place=PLACE, start=first)

    def go_on(stop_after):
        taken = 0

        def should_stop():
            return taken >= stop_after

        for line in record(run, dataset=others, place=PLACE, should_stop=should_stop):
            taken += line["kind"] == "step"

    go_on(2)
    training = continuation(run, dataset=others)
    alone, together = training.take(), training.take()
    go_on(2)
    same(together.new_weights, learning(kept(run))[0])
    assert np.array_equal(alone.weights["conv1.weight"], alone.new_weights["conv1.weight"])
    assert not np.array_equal(
        together.weights["conv1.weight"], together.new_weights["conv1.weight"]
    )
    with pytest.raises(LayerError, match="does not learn") as refused:
        alone.update("conv1.weight", 0, 0, 0, 0)
    assert "new end" in refused.value.why
    slow = together.update("conv1.weight", 0, 0, 0, 0)
    assert slow.learning_rate == pytest.approx(0.1 * together.learning_rate)
    assert abs(slow.difference) <= 3e-7 * (abs(slow.weight) + abs(slow.change))


def test_from_the_moment_before_the_first_step_it_is_the_first_step(finished, photos):
    training = continuation(finished, step=0, dataset=photos)
    assert training.is_exact
    step = training.take()
    moment = past.tensors(finished, past.moment_at(finished, 1))
    same(step.new_weights, moment)
    for name, tensor in training.module().state_dict().items():
        assert torch.equal(tensor, moment[name]), name


def test_a_finished_training_goes_on_with_one_more_epoch_at_its_last_rate(finished, photos):
    training = continuation(finished, dataset=photos)
    last = [line for _, line in finished.log() if line["kind"] == "step"][-1]
    assert training.is_exact
    step = training.take()
    assert not training.is_exact
    assert (step.batch.step, step.batch.epoch, step.batch.number) == (10, 4, 1)
    assert step.learning_rate == last["lr"]
    assert step.loss_after < step.loss
    same(step.weights, learning(kept(finished))[0])


def test_another_rate_or_an_empty_memory_is_another_training(make_run, go, photos):
    run = make_run()
    go(run, stop_after=4)
    faster = continuation(run, dataset=photos)
    faster.take(0.5)
    assert not faster.is_exact
    empty = continuation(run, dataset=photos, remembers=False)
    assert not empty.is_exact
    step = empty.take()
    assert all(not array.any() for array in step.memory.values())
    # the same weights, photos and gradients all the same
    same(step.gradients, {n: torch.tensor(a) for n, a in gradients_of(run, photos).items()})


def gradients_of(run, photos):
    return continuation(run, dataset=photos).take().gradients


def test_steps_that_are_not_told_are_the_same_steps(make_run, go, photos):
    run = make_run(ema=0.8)
    go(run, stop_after=1)
    one, other = (continuation(run, dataset=photos) for _ in range(2))
    for _ in range(4):
        told = one.take()
    other.skip(3)
    assert np.array_equal(
        other.take().new_weights["conv1.weight"], told.new_weights["conv1.weight"]
    )
    assert one.losses == other.losses
    assert len(one.losses) == 4


def test_a_turned_rate_is_the_one_of_the_run(make_run, go, photos):
    run = make_run()
    go(run, stop_after=4)
    (run.folder / "steering.json").write_text('[{"step": 6, "rate_factor": 0.25}]')
    training = continuation(run, dataset=photos)
    rates = [training.take().learning_rate for _ in range(2)]
    told = [line["lr"] for line in go(run, stop_after=2) if line["kind"] == "step"]
    assert rates == told
    assert rates[1] < 0.5 * rates[0]


def test_the_run_and_the_network_in_hand_stay_as_they_are(make_run, go, photos):
    run = make_run()
    go(run, stop_after=2)
    files = {path: path.read_bytes() for path in run.folder.rglob("*") if path.is_file()}
    module = run.classifier.module
    state = {name: tensor.clone() for name, tensor in module.state_dict().items()}
    threads, number = torch.get_num_threads(), torch.random.get_rng_state()
    step = continuation(run, dataset=photos, network=module).take()
    step.pulls("conv1.weight", 1, 2, 0, 0)
    assert {path: path.read_bytes() for path in files} == files
    assert all(torch.equal(tensor, state[name]) for name, tensor in module.state_dict().items())
    assert not any(part.training or part._forward_hooks for part in module.modules())
    assert torch.get_num_threads() == threads
    assert torch.equal(torch.random.get_rng_state(), number)


def test_what_a_moment_does_not_keep_is_said(make_run, go, photos):
    run = make_run(ema=0.9)
    go(run)
    with pytest.raises(RunError, match="does not hold what its optimizer remembered at step 3"):
        continuation(run, step=3, remembers=True, dataset=photos)
    with pytest.raises(RunError, match="does not hold the weights that learned at step 3") as said:
        continuation(run, step=3, dataset=photos)
    assert "averages" in said.value.why
    with pytest.raises(RunError, match="what its training had then"):
        continuation(run, weights_sha256="0" * 64, dataset=photos)
    assert continuation(run, step=0, dataset=photos).is_exact


def test_a_loss_that_is_no_number_is_said(make_run, go, photos):
    run = make_run()
    go(run, stop_after=1)
    training = continuation(run, dataset=photos)
    training.take(1e30)
    with pytest.raises(LayerError, match="The loss of the batch of step 3 is no number"):
        training.take()


def test_it_stops_between_two_layers_when_it_is_asked_to(make_run, go, photos):
    run = make_run()
    go(run, stop_after=1)
    breaths = []

    class GoneError(Exception):
        pass

    def breath():
        breaths.append(1)
        if len(breaths) == 5:
            raise GoneError

    with pytest.raises(GoneError):
        continuation(run, dataset=photos).take(breath=breath)
    assert len(breaths) == 5


def test_the_seconds_of_a_step_are_the_log_s(finished, make_run):
    (line,) = [line for _, line in finished.log() if line["kind"] == "epoch"][-1:]
    assert step_seconds(finished) == pytest.approx(16 / line["images_per_second"])
    assert step_seconds(make_run()) is None


def test_in_the_first_epoch_the_seconds_of_a_step_are_the_median_of_the_newest(make_run, go):
    run = make_run()
    lines = go(run, stop_after=2)
    first, second = [line["elapsed_s"] for line in lines if line["kind"] == "step"]
    assert step_seconds(run) == second - first
