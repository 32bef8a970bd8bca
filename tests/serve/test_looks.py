"""Traces, activations, partial maps and equations over HTTP, against the network itself."""

from decimal import Decimal

import numpy as np
import pytest
import torch

from seethrough.errors import RunError
from seethrough.model.mode import one_thread
from seethrough.runs.creation import create
from seethrough.runs.record import record
from seethrough.serve import wire
from seethrough.serve.albums import RunAlbum
from seethrough.serve.app import create_app
from seethrough.serve.looks import Looks
from seethrough.train.place import Place
from seethrough.train.recipe import Recipe

from .conftest import OWN_PAGE, PORT, TOKEN, Client


@pytest.fixture
def base(trained):
    return f"/api/runs/{trained.run.id}/photos/t3"


def floats(answer) -> np.ndarray:
    return np.frombuffer(answer.content, dtype="<f4")


def digits(shown: str) -> Decimal:
    return Decimal(shown.replace("−", "-"))


def outputs(module, image) -> dict[str, np.ndarray]:
    """Every layer's output, by running the layers one after another, on one thread as there."""
    values = torch.from_numpy(image.transpose(2, 0, 1).astype(np.float32))[None]
    found = {}
    module.eval()
    with one_thread(), torch.inference_mode():
        for name, layer in module.named_children():
            values = layer(values)
            found[name] = values[0].numpy()
    found["softmax"] = torch.softmax(values[0].double(), 0).float().numpy()
    return found


def test_the_activations_lie_where_the_trace_says(client, base, trained):
    trace = wire.TraceMessage.model_validate(client.get(f"{base}/trace").json())
    told = floats(client.get(f"{base}/activations"))
    assert len(told) == trace.floats
    own = outputs(trained.run.classifier.module, trained.run.dataset().images[3])
    assert [layer.name for layer in trace.layers] == list(own)
    for layer in trace.layers:
        piece = told[layer.offset : layer.offset + int(np.prod(layer.shape))]
        assert np.array_equal(piece.reshape(layer.shape), own[layer.name]), layer.name
        assert (layer.minimum, layer.maximum) == (piece.min(), piece.max())
        alive = piece.reshape(layer.shape[0], -1).any(axis=1)
        assert layer.active_units == alive.tolist()
    assert trace.probabilities == told[-2:].tolist()


def test_the_trace_speaks_of_layers_as_the_run_does(client, base, trained):
    layers = client.get(f"/api/runs/{trained.run.id}").json()["layers"]
    traced = client.get(f"{base}/trace").json()["layers"]
    for field in ("name", "kind", "shape", "parameters"):
        assert [layer[field] for layer in traced] == [layer[field] for layer in layers], field


def test_the_loss_is_minus_log_of_the_label_s_probability(client, base):
    trace = client.get(f"{base}/trace").json()
    own = trace["classes"].index(trace["photo"]["label"])
    gap = trace["logits"][1 - own] - trace["logits"][own]
    assert trace["loss"] == pytest.approx(np.log1p(np.exp(gap)), rel=1e-12)
    assert trace["probabilities"][own] == pytest.approx(np.exp(-trace["loss"]), rel=1e-6)
    assert trace["photo"]["probability"] == max(trace["probabilities"])


def test_partial_maps_and_the_bias_add_up_to_the_unit_s_map(client, base):
    trace = client.get(f"{base}/trace").json()
    told = floats(client.get(f"{base}/activations"))
    layer = next(layer for layer in trace["layers"] if layer["name"] == "conv2")
    size = int(np.prod(layer["shape"]))
    maps = told[layer["offset"] : layer["offset"] + size].reshape(layer["shape"])
    run = base.partition("/photos")[0]
    bias = floats(client.get(f"{run}/weights", params={"layer": "conv2", "part": "bias"}))
    for unit in range(5):
        answer = client.get(f"{base}/partials", params={"layer": "conv2", "unit": unit})
        shape = tuple(int(side) for side in answer.headers["x-shape"].split(","))
        partials = floats(answer).reshape(shape).astype(np.float64)
        assert shape == (4, *layer["shape"][1:])
        assert np.allclose(partials.sum(axis=0) + bias[unit], maps[unit], atol=1e-5)


@pytest.mark.parametrize(
    ("layer", "words"),
    [("relu1", "only a convolution"), ("conv9", "other names"), ("dense1", "only a convolution")],
)
def test_partial_maps_of_anything_else_are_404(client, base, layer, words):
    answer = client.get(f"{base}/partials", params={"layer": layer, "unit": 0})
    assert answer.status_code == 404
    assert words in answer.json()["why"]


def test_an_equation_over_http_is_the_trace_s_own(client, base, trained):
    trace = trained.run.classifier.trace(trained.run.dataset().images[3])
    asked = {"layer": "conv2", "unit": 2, "row": 0, "column": 1}
    told = client.get(f"{base}/equation", params=asked).json()
    assert told == trace.equation("conv2", unit=2, row=0, column=1).to_dict()
    assert told["adds_up"]
    assert len(told["terms"]) == 4 * 9
    shown = [channel["shown"] for channel in told["channels"]] + [told["shown_bias"]]
    assert sum(map(digits, shown)) == digits(told["shown_sum"])


@pytest.mark.parametrize(
    "asked",
    [
        {"layer": "conv9", "unit": 0, "row": 0, "column": 0},
        {"layer": "conv1", "unit": 99, "row": 0, "column": 0},
        {"layer": "conv1", "unit": 0, "row": 99, "column": 0},
        {"layer": "conv1", "unit": 0},
    ],
)
def test_what_the_network_does_not_have_is_404_with_words(client, base, asked):
    answer = client.get(f"{base}/equation", params=asked)
    assert answer.status_code == 404
    assert set(answer.json()) == {"what", "why", "fix"}


def test_a_negative_cell_is_422(client, base):
    asked = {"layer": "conv1", "unit": -1, "row": 0, "column": 0}
    assert client.get(f"{base}/equation", params=asked).status_code == 422


def test_numbers_of_two_states_of_a_network_are_never_mixed(client, base):
    """A view names the weights it was drawn from."""
    own = client.get(f"{base}/trace").json()["weights_sha256"]
    asked = {"weights_sha256": own}
    assert client.get(f"{base}/activations", params=asked).status_code == 200
    other = client.get(f"{base}/activations", params={"weights_sha256": "0" * 64})
    assert other.status_code == 409
    assert other.json()["what"] == "The network has learned on since this was drawn."


def test_looks_are_bounded_and_the_oldest_makes_room(client, trained):
    desk = client.app.state.desk
    looks = Looks(desk.shelf, looks=3)
    album = RunAlbum(trained.run, desk.shelf, desk.drops)
    first = looks.look(album, "t0", None)
    for number in (1, 2):
        looks.look(album, f"t{number}", None)
    assert looks.look(album, "t0", None) is first
    looks.look(album, "t3", None)
    assert [key[2] for key in looks._held] == ["t2", "t0", "t3"]
    tight = Looks(desk.shelf, size=1)
    tight.look(album, "t0", None)
    tight.look(album, "t1", None)
    assert len(tight._held) == 1


def test_a_run_is_looked_into_while_it_learns(trained, tmp_path, portal):
    dataset, runs_dir = trained.run.dataset(), tmp_path / "runs"
    recipe = Recipe(epochs=2, batch=8, seed=4)
    run = create(dataset, trained.run.network, recipe, runs_dir=runs_dir)
    client = Client(create_app(runs_dir, token=TOKEN, port=PORT), portal, OWN_PAGE)
    base = f"/api/runs/{run.id}/photos"

    early = client.get(f"{base}/t3/trace")
    assert early.status_code == 409
    assert "has no weights yet" in early.json()["what"]
    content = (trained.photos / dataset.paths[0]).read_bytes()
    assert client.post(base, content=content).json()["predicted"] is None

    place, kinds = Place(threads=1), []

    def has_checkpoint() -> bool:
        return "checkpoint" in kinds

    for event in record(run, dataset=dataset, place=place, should_stop=has_checkpoint):
        kinds.append(event["kind"])
    assert client.get(base).json()["photos"][0]["predicted"] is None
    first = client.get(f"{base}/t3/trace").json()
    drawn = client.get(f"{base}/t3/activations").content

    list(record(run, dataset=dataset, place=place))
    then = {"weights_sha256": first["weights_sha256"]}
    assert client.get(f"{base}/t3/activations", params=then).content == drawn
    assert client.get(f"{base}/t4/activations", params=then).status_code == 409
    second = client.get(f"{base}/t3/trace").json()
    assert second["weights_sha256"] != first["weights_sha256"]
    assert second["weights_sha256"] == client.get(f"/api/runs/{run.id}").json()["weights_sha256"]
    assert client.get(f"{base}/t3/activations").content != drawn
    assert client.get(base).json()["photos"][0]["predicted"] is not None


# ---------------------------------------------------------------- backwards


def test_the_gradients_lie_where_the_way_back_says(client, base, trained):
    told = client.get(f"{base}/backward").json()
    back = wire.BackwardMessage.model_validate(told)
    numbers = floats(client.get(f"{base}/gradients"))
    assert len(numbers) == back.floats
    dataset = trained.run.dataset()
    label = dataset.classes[dataset.labels[3]]
    own = trained.run.classifier.backward(dataset.images[3], label)
    assert (back.label, back.loss) == (label, own.loss)
    assert [layer.name for layer in back.layers] == ["photo", *list(own.layers)[1:]]
    for layer in back.layers:
        piece = numbers[layer.offset : layer.offset + int(np.prod(layer.shape))]
        assert np.array_equal(piece.reshape(layer.shape), own.gradient(layer.name)), layer.name
        assert (layer.minimum, layer.maximum) == (piece.min(), piece.max())
    for parameter in back.parameters:
        query = {"layer": parameter.layer, "name": parameter.name}
        answer = client.get(f"{base}/parameter-gradients", params=query)
        assert answer.headers["x-shape"] == ",".join(map(str, parameter.shape))
        expected = own.parameters[parameter.layer][parameter.name]
        assert np.array_equal(floats(answer).reshape(parameter.shape), expected)


def test_another_class_makes_another_loss(client, base):
    trace = client.get(f"{base}/trace").json()
    losses = [
        client.get(f"{base}/backward", params={"label": label}).json()["loss"]
        for label in trace["classes"]
    ]
    assert losses == pytest.approx([-np.log(p) for p in trace["probabilities"]], rel=1e-5)
    refused = client.get(f"{base}/backward", params={"label": "moon"})
    assert refused.status_code == 422
    assert "There is no class 'moon'." in refused.json()["what"]


def test_the_equations_of_the_way_back_add_up_to_its_numbers(client, base):
    back = client.get(f"{base}/backward").json()
    numbers = floats(client.get(f"{base}/gradients"))
    conv = next(layer for layer in back["layers"] if layer["name"] == "conv1")
    place = {"layer": "conv1", "unit": 1, "row": 2, "column": 3}
    said = client.get(f"{base}/gradient-equation", params=place).json()
    at = conv["offset"] + int(np.ravel_multi_index((1, 2, 3), conv["shape"]))
    assert said["framework"] == numbers[at]
    assert said["direction"] == "backward"
    query = {"layer": "conv1", "index": [1, 2, 0, 1]}
    weight = client.get(f"{base}/parameter-equation", params=query).json()
    whole = client.get(f"{base}/parameter-gradients", params={"layer": "conv1"})
    shape = [int(size) for size in whole.headers["x-shape"].split(",")]
    assert weight["framework"] == floats(whole).reshape(shape)[1, 2, 0, 1]
    for equation in (said, weight):
        assert sum(digits(term["shown_product"]) for term in equation["terms"]) == digits(
            equation["shown_sum"]
        )
        assert abs(equation["relative_difference"]) < 1e-5


@pytest.mark.parametrize(
    ("address", "query"),
    [
        ("gradient-equation", {"layer": "moon", "unit": 0, "row": 0, "column": 0}),
        ("gradient-equation", {"layer": "conv1", "unit": 99, "row": 0, "column": 0}),
        ("parameter-equation", {"layer": "conv1", "index": [0, 0]}),
        ("parameter-gradients", {"layer": "relu1"}),
    ],
)
def test_what_has_no_gradient_is_refused_in_words(client, base, address, query):
    refused = client.get(f"{base}/{address}", params=query)
    assert refused.status_code in {404, 422}
    wire.ErrorMessage.model_validate(refused.json())


def test_a_weight_that_is_moved_gives_the_gradient_of_its_equation(client, base):
    where = {"index": [1, 2, 0, 1]}
    told = client.get(f"{base}/gradient-check", params={"name": "conv1.weight", **where}).json()
    check = wire.GradientCheckMessage.model_validate(told)
    equation = client.get(f"{base}/parameter-equation", params={"layer": "conv1", **where}).json()
    assert check.gradient == pytest.approx(equation["framework"], rel=1e-5)
    assert check.relative_difference < 1e-5
    assert (check.name, check.index) == ("conv1.weight", where["index"])
    loss = client.get(f"{base}/backward").json()["loss"]
    nearest = check.trials[-1]
    assert nearest.loss_below == pytest.approx(loss, rel=1e-4)
    for trial in check.trials:
        apart = digits(trial.shown_above) - digits(trial.shown_below)
        assert apart / (2 * digits(trial.shown_step)) == digits(trial.shown_slope)
    other = client.get(
        f"{base}/gradient-check", params={"name": "dense1.bias", "index": 0, "label": "stripes"}
    )
    trace = client.get(f"{base}/trace").json()
    sure = dict(zip(trace["classes"], trace["probabilities"], strict=True))
    own = 1.0 if trace["classes"][0] == "stripes" else 0.0
    # at a logit's bias it is the probability minus what it should have been
    assert other.json()["gradient"] == pytest.approx(sure[trace["classes"][0]] - own, rel=1e-5)


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ({"name": "moon.weight", "index": 0}, "There is no weight 'moon.weight'."),
        ({"name": "conv1.weight", "index": 0}, "conv1.weight has no number at 0."),
        ({"name": "conv1.bias", "index": 0, "weights_sha256": "0123"}, "has learned on"),
    ],
)
def test_a_weight_that_is_not_there_cannot_be_moved(client, base, query, words):
    refused = client.get(f"{base}/gradient-check", params=query)
    assert refused.status_code in {404, 409, 422}
    assert words in refused.json()["what"]


# ---------------------------------------------------------------- one step of learning


def test_a_step_of_learning_is_told_and_changes_nothing(client, base, trained):
    before = client.get(f"{base}/trace").json()
    told = client.get(f"{base}/learning-step", params={"learning_rate": 0.002}).json()
    step = wire.LearningStepMessage.model_validate(told)
    assert step.loss_after is not None
    assert step.loss_after < step.loss == pytest.approx(before["loss"], rel=1e-5)
    assert step.probabilities == before["probabilities"]
    recipe = trained.run.manifest.recipe
    assert (step.optimizer, step.momentum) == (str(recipe.optimizer), recipe.momentum)
    after = floats(client.get(f"{base}/activations-after", params={"learning_rate": 0.002}))
    assert len(after) == before["floats"]
    assert after[-2:].tolist() == step.probabilities_after
    assert client.get(f"{base}/trace").json()["logits"] == before["logits"]


def test_one_weight_s_update_is_the_step_s(client, base):
    query = {"name": "conv1.weight", "index": [1, 2, 0, 1]}
    told = client.get(f"{base}/learning-update", params=query).json()
    update = wire.UpdateMessage.model_validate(told)
    gradient = {"layer": "conv1", "index": [1, 2, 0, 1]}
    equation = client.get(f"{base}/parameter-equation", params=gradient).json()
    assert update.gradient == pytest.approx(equation["framework"], rel=1e-6)
    assert update.new_weight == pytest.approx(update.weight + update.change)
    assert update.lines[-1].shown.endswith(update.shown_new_weight)
    refused = client.get(f"{base}/learning-update", params={"name": "moon", "index": 1})
    assert "There is no weight 'moon'." in refused.json()["what"]


def test_a_step_may_begin_with_what_the_run_s_optimizer_remembers(client, base, trained):
    place = {"name": "conv1.weight", "index": [1, 2, 0, 1]}
    empty = client.get(f"{base}/learning-update", params=place).json()
    told = client.get(f"{base}/learning-update", params={**place, "memory": "run"}).json()
    velocity = trained.run.optimizer_memory()["conv1.weight.momentum"][1, 2, 0, 1].item()
    recipe = trained.run.manifest.recipe
    assert velocity != 0
    # by hand: d = g + λ·w; v′ = d + μ·v; u = d + μ·v′ where it looks ahead; w′ = w − η·u
    decayed = told["gradient"] + recipe.weight_decay * told["weight"]
    direction = moved = decayed + recipe.momentum * velocity
    if recipe.nesterov:
        direction = decayed + recipe.momentum * moved
    assert told["change"] == pytest.approx(-recipe.peak_lr * direction, rel=1e-4)
    assert told["gradient"] == empty["gradient"]
    assert told["change"] != empty["change"]
    step = client.get(f"{base}/learning-step", params={"memory": "run"}).json()
    assert wire.LearningStepMessage.model_validate(step).memory == "run"


def test_weights_that_are_not_the_newest_have_no_memory(trained):
    with pytest.raises(RunError, match="does not hold what its optimizer remembered") as refused:
        trained.run.optimizer_memory("0" * 64)
    assert "empty memory" in refused.value.fix
