"""Steps of learning over HTTP: on a photo, again, and on the run's own batches."""

import io
from dataclasses import replace
from decimal import Decimal

import numpy as np
import pytest
import torch
from PIL import Image

from seethrough.draw.strip import SIDE_PX
from seethrough.learning.breath import go_on
from seethrough.runs.continued import continuation
from seethrough.serve import wire
from seethrough.serve.question import StepQuestion
from seethrough.serve.refusal import Refusal
from seethrough.serve.steps import Place, Steps

from .test_looks import floats

RUN = {"batch": "run", "memory": "run"}
ASKED = StepQuestion(batch="run", memory="run")


@pytest.fixture
def base(trained):
    return f"/api/runs/{trained.run.id}/photos/t3"


@pytest.fixture(scope="module")
def own(trained):
    """The run's next three steps by its own hand, and the network after each."""
    training = continuation(trained.run)
    return [(training.take(), training.module()) for _ in range(3)]


def step(client, base, **asked):
    told = client.get(f"{base}/learning-step", params=asked)
    assert told.status_code == 200, told.text
    return wire.LearningStepMessage.model_validate(told.json())


def test_a_step_on_the_run_s_batch_tells_of_its_photos_and_of_the_one_that_is_watched(
    client, base, trained, own
):
    told, (taken, module) = step(client, base, **RUN), own[0]
    assert told.batch is not None
    assert told.batch.photos == len(taken.batch) == 8
    assert (told.batch.step, told.batch.epoch, told.batch.number) == (
        taken.batch.step,
        2,
        1,
    )
    assert told.batch.of == len(range(0, 32, 8))
    assert told.batch.loss == told.losses[0] == taken.loss
    assert told.batch.loss_after == taken.loss_after
    assert not told.batch.is_exact  # the run has finished: it is one more epoch
    assert told.learning_rate == taken.learning_rate
    pixels = torch.from_numpy(np.array(trained.run.dataset().images[3])).permute(2, 0, 1)[None]
    with torch.no_grad():
        logits = module(pixels.float())
    np.testing.assert_allclose(told.probabilities_after, logits.softmax(1)[0], rtol=1e-5)
    truth = list(trained.run.classifier.classes).index(told.label)
    assert told.loss_after == pytest.approx(-logits.log_softmax(1)[0, truth].item(), rel=1e-5)
    assert told.probabilities == client.get(f"{base}/trace").json()["probabilities"]


def test_steps_after_it_take_the_batches_that_follow(client, base, own):
    third = step(client, base, **RUN, steps=3)
    assert third.batch is not None
    assert (third.batch.step, third.steps) == (own[2][0].batch.step, 3)
    assert third.losses == [taken.loss for taken, _ in own]
    # back, and there again: a step is the same whenever it is asked for
    first = step(client, base, **RUN)
    assert first.losses == third.losses[:1]
    assert step(client, base, **RUN, steps=3) == third


def test_maps_weights_and_updates_are_those_of_the_last_step(client, base, own):
    asked = {**RUN, "steps": 2}
    taken, module = own[1]
    trace = wire.TraceMessage.model_validate(client.get(f"{base}/trace").json())
    after = floats(client.get(f"{base}/activations-after", params=asked))
    assert len(after) == trace.floats
    place = {"name": "conv1.weight", "index": [1, 2, 0, 1]}
    told = client.get(f"{base}/learning-parameter", params={**asked, "name": "conv1.weight"})
    assert told.headers["x-shape"] == "2,4,3,3,3"
    weights, gradients = floats(told).reshape(2, 4, 3, 3, 3)
    assert np.array_equal(weights, taken.weights["conv1.weight"])
    assert np.array_equal(gradients, taken.gradients["conv1.weight"])
    update = client.get(f"{base}/learning-update", params={**asked, **place}).json()
    assert update["framework"] == pytest.approx(module.conv1.weight[1, 2, 0, 1].item(), rel=1e-7)
    assert update["gradient"] == taken.gradients["conv1.weight"][1, 2, 0, 1]


def test_pulls_name_their_photos_and_add_up(client, base, trained, own):
    place = {"name": "conv1.weight", "index": [1, 2, 0, 1]}
    told = client.get(f"{base}/learning-pulls", params={**RUN, **place})
    pulls = wire.PullsMessage.model_validate(told.json())
    shown = [each.shown for each in pulls.largest] + [pulls.shown_others or "0"]
    assert sum(map(Decimal, shown)) == Decimal(pulls.shown_gradient)
    assert pulls.values == list(own[0][0].pulls("conv1.weight", 1, 2, 0, 1).values)
    dataset = trained.run.dataset()
    for each in pulls.largest:
        index = int(each.photo.removeprefix("t"))
        assert index in own[0][0].batch.photos
        assert each.label == dataset.classes[dataset.labels[index]]
        assert own[0][0].batch.photos[each.place] == index
    for address in ("learning-pulls", "learning-photos"):
        alone = client.get(f"{base}/{address}", params=place)
        assert alone.status_code == 422
        assert "photo alone has no batch" in alone.json()["what"]


def test_the_photos_of_a_batch_are_shown_as_training_takes_them(client, base, own):
    batch = own[1][0].batch
    told = client.get(f"{base}/learning-photos", params={**RUN, "steps": 2})
    assert (told.headers["content-type"], told.headers["cache-control"]) == (
        "image/png",
        "no-store",
    )
    shown = np.asarray(Image.open(io.BytesIO(told.content)).convert("RGB"))
    side = batch.images.shape[2]
    assert side <= SIDE_PX
    expected = np.concatenate(list(batch.images.permute(0, 2, 3, 1).numpy()), axis=1)
    assert np.array_equal(shown, expected)
    message = step(client, base, **RUN, steps=2).batch
    assert message is not None
    assert message.photo_ids == [f"t{photo}" for photo in batch.photos]


def test_steps_on_the_photo_alone_go_on_from_each_other(client, base, trained):
    classifier, recipe = trained.run.classifier, trained.run.manifest.recipe
    pixels = np.array(trained.run.dataset().images[3])
    first = classifier.learning_step(pixels, "red", recipe, learning_rate=0.01)
    state = {n: torch.from_numpy(a) for n, a in first.new_weights.items()}
    classifier.module.load_state_dict({**classifier.module.state_dict(), **state})
    memory = {n: torch.from_numpy(a) for n, a in first.new_memory.items()}
    second = classifier.learning_step(pixels, "red", recipe, learning_rate=0.01, memory=memory)
    told = step(client, base, label="red", learning_rate=0.01, steps=2)
    assert told.batch is None
    assert told.losses == [first.loss, second.loss]
    assert told.loss == pytest.approx(first.loss, rel=1e-6)
    assert told.loss_after == pytest.approx(second.loss_after, rel=1e-6)
    np.testing.assert_allclose(told.probabilities_after, second.after.probabilities, rtol=1e-6)


def test_a_moment_takes_the_batch_that_came_next(client, base, trained):
    first = step(client, base, batch="run", step=0)
    lines = [line for _, line in trained.run.log() if line["kind"] == "step"]
    assert first.batch is not None
    assert first.batch.is_exact
    assert (first.batch.step, first.losses) == (1, [lines[0]["loss"]])
    assert step(client, base, batch="run", step=0, steps=4).losses == [
        line["loss"] for line in lines
    ]
    later = step(client, base, batch="run", step=2)
    assert later.batch is not None
    assert (later.batch.step, later.batch.is_exact) == (3, False)
    assert later.losses == [lines[2]["loss"]]
    refused = client.get(f"{base}/learning-step", params={**RUN, "step": 2})
    assert refused.status_code == 409
    assert "remembered at step 2" in refused.json()["what"]


def test_what_would_take_too_long_is_refused_with_what_to_do(client, trained):
    desk = client.app.state.desk
    place = Place(desk.look(trained.run.id, "t3"), trained.run.id, None)
    with pytest.raises(Refusal, match="A step on 8 photos takes too long here") as refused:
        Steps(desk.shelf, longest_s=0.0).message(place, ASKED, go_on)
    assert "run.continuation()" in refused.value.fix
    with pytest.raises(Refusal, match="3 steps on 8 photos each take too long"):
        Steps(desk.shelf, longest_s=0.0).after(place, replace(ASKED, steps=3), go_on)


def test_a_step_that_nobody_waits_for_is_left_and_the_next_question_begins_anew(
    client, trained, own
):
    desk = client.app.state.desk
    place = Place(desk.look(trained.run.id, "t3"), trained.run.id, None)
    steps, breaths = Steps(desk.shelf), []

    class GoneError(Exception):
        pass

    def breath():
        breaths.append(1)
        if len(breaths) == 7:
            raise GoneError

    with pytest.raises(GoneError):
        steps.message(place, ASKED, breath)
    assert steps.message(place, ASKED, go_on).losses == [own[0][0].loss]
