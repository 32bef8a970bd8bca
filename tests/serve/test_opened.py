"""Networks that are no runs, looked through over HTTP, against torch itself."""

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from tests.explain.looking import hooks
from tests.serve.strangers import Joining, Residual, onnx_file

from seethrough.classifier import Classifier, wrap
from seethrough.data.collection import collect
from seethrough.data.decode import picture
from seethrough.serve.app import create_app
from seethrough.serve.opened import OF_A_FILE, Opened, opened

from .conftest import BEARER, OWN_PAGE, PORT, TOKEN, Client, photo_of

CLASSES = ("red", "stripes", "dots")
PX = 16


def network(kind, folder):
    """One of three kinds, with weights that depend on a seed."""
    torch.manual_seed(11)
    if kind == "onnx":
        return wrap(onnx_file(folder / "model.onnx", px=PX, classes=3), classes=CLASSES), OF_A_FILE
    module = Residual() if kind == "residual" else Joining()
    std = (0.25, 0.2, 0.25)
    return wrap(module.eval(), classes=CLASSES, image_px=PX, mean=(0.5,) * 3, std=std), None


class Asked:
    """An opened network, what it was made of, and a way to ask about it."""

    def __init__(self, kind, folder: Path, portal):
        self.photos, self.runs_dir = folder / "photos", folder / "runs"
        rng = np.random.default_rng(5)
        for name in ("red/1.png", "red/2.png", "stripes/1.png", "unknown/1.png"):
            path = self.photos / name
            path.parent.mkdir(parents=True, exist_ok=True)
            Image.fromarray(photo_of(path.parent.name, rng)).save(path)
        self.classifier, graph = network(kind, folder)
        found = collect(self.photos, self.classifier.classes)
        more = {} if graph is None else {"graph": graph}
        self.opened: Opened = opened(
            self.classifier, name=kind, origin=f"opened from {kind}", photos=found, **more
        )
        app = create_app(self.runs_dir, token=TOKEN, port=PORT, opened=[self.opened])
        self.client = Client(app, portal, OWN_PAGE)
        self.base = f"/api/runs/{self.opened.id}"

    def get(self, path):
        answer = self.client.get(f"{self.base}{path}")
        assert answer.status_code == 200, answer.text
        return answer

    def batch(self, path="red/1.png"):
        """The pixels as torch gets them."""
        pixels = picture((self.photos / path).read_bytes(), name=path, image_px=PX).pixels
        return torch.from_numpy(pixels.transpose(2, 0, 1).astype(np.float32))[None]


@pytest.fixture(scope="module", params=["residual", "joining", "onnx"])
def asked(request, tmp_path_factory, portal):
    return Asked(request.param, tmp_path_factory.mktemp(request.param), portal)


@pytest.fixture(scope="module")
def residual(tmp_path_factory, portal):
    return Asked("residual", tmp_path_factory.mktemp("one"), portal)


def answer(classifier: Classifier, batch):
    with torch.inference_mode():
        return classifier.module(batch)[0].double()


def test_it_is_told_beside_the_runs_and_is_none_of_them(asked):
    (told,) = asked.client.get("/api/opened").json()
    assert told["id"] == asked.opened.id == f"n-{asked.opened.weights_sha256[:12]}"
    assert told["origin"].startswith("opened from")
    assert (told["classes"], told["image_px"]) == (list(CLASSES), PX)
    assert told["parameters"] == sum(each.numel() for each in asked.classifier.module.parameters())
    assert (told["photos"]["total"], told["photos"]["labelled"]) == (4, 3)
    assert asked.client.get("/api/runs").json() == []


def test_its_trace_is_what_torch_computes_and_every_layer_reads_layers_that_are_there(asked):
    trace = asked.get("/photos/t0/trace").json()
    scores = answer(asked.classifier, asked.batch())
    if asked.opened.name == "onnx":  # it ends in softmax
        expected = scores
    else:
        expected = torch.softmax(scores, 0)
        assert trace["logits"] == pytest.approx(scores.tolist(), rel=1e-5)
    assert trace["probabilities"] == pytest.approx(expected.tolist(), rel=1e-5)
    assert trace["loss"] == pytest.approx(-np.log(expected[0].item()), rel=1e-5)
    names = ["photo", *(layer["name"] for layer in trace["layers"])]
    for place, layer in enumerate(trace["layers"]):
        assert set(layer["inputs"]) <= set(names[: place + 1])
        assert layer["known"]
    values = np.frombuffer(asked.get("/photos/t0/activations").content, dtype="<f4")
    assert len(values) == trace["floats"]


def test_parallel_paths_are_told_as_they_ran(residual):
    layers = residual.get("/photos/t0/trace").json()["layers"]
    added = [layer for layer in layers if layer["kind"] == "add"]
    assert [len(layer["inputs"]) for layer in added] == [2, 2]
    beside = next(layer for layer in layers if layer["name"].endswith("layer1.1.downsample"))
    assert beside["name"] in added[1]["inputs"]


def test_equations_of_all_layers_add_up_and_agree_with_torch(asked):
    layers = asked.get("/photos/t0/trace").json()["layers"]
    for layer in layers:
        cell = "&row=1&column=0" if len(layer["shape"]) == 3 and layer["shape"][1] > 1 else ""
        if len(layer["shape"]) == 3 and not cell:
            cell = "&row=0&column=0"
        found = asked.get(f"/photos/t0/equation?layer={layer['name']}&unit=1{cell}").json()
        assert found["adds_up"], layer["name"]
        assert found["relative_difference"] <= 1e-5, layer["name"]


def test_the_way_back_agrees_with_autograd(asked):
    message = asked.get("/photos/t0/backward").json()
    assert message["label"] == "red"
    batch = asked.batch().requires_grad_()
    said = asked.classifier.module(batch)[0]
    loss = -said.log()[0] if asked.opened.name == "onnx" else -torch.log_softmax(said, 0)[0]
    (expected,) = torch.autograd.grad(loss, batch)
    assert message["loss"] == pytest.approx(loss.item(), rel=1e-5)
    flat = np.frombuffer(asked.get("/photos/t0/gradients").content, dtype="<f4")
    (place,) = [layer for layer in message["layers"] if layer["name"] == "photo"]
    size = int(np.prod(place["shape"]))
    mine = flat[place["offset"] : place["offset"] + size].reshape(place["shape"])
    np.testing.assert_allclose(mine, expected[0].numpy(), rtol=1e-3, atol=1e-7)
    found = asked.get("/photos/t0/gradient-equation?layer=photo&unit=1&row=4&column=5").json()
    assert found["adds_up"]
    assert found["activation"] == pytest.approx(expected[0, 1, 4, 5].item(), rel=1e-3, abs=1e-7)


def test_a_photo_whose_folder_names_no_class_has_no_loss_until_one_is_chosen(residual):
    photo = residual.get("/photos/t3").json()
    assert (photo["path"], photo["label"], photo["split"]) == ("unknown/1.png", None, "given")
    trace = residual.get("/photos/t3/trace").json()
    assert trace["loss"] is None
    back = residual.get("/photos/t3/backward?label=dots").json()
    assert back["loss"] == pytest.approx(-np.log(trace["probabilities"][2]), rel=1e-5)


def test_something_changed_and_switched_off_is_answered(asked):
    layers = asked.get("/photos/t0/trace").json()["layers"]
    first = next(layer for layer in layers if layer["kind"] == "conv")
    question = {"off": [{"layer": first["name"], "unit": 0}]}
    found = asked.client.post(f"{asked.base}/photos/t0/what-if", json=question)
    assert found.status_code == 200
    assert found.json()["changed"][0]["layer"] == first["name"]
    weights = asked.get(f"/weights?layer={first['name']}")
    own = dict(asked.classifier.module.named_parameters())[f"{first['name']}.weight"]
    assert weights.content == own.detach().numpy().astype("<f4").tobytes()


def test_one_step_is_plain_gradient_descent_and_says_so(residual):
    step = residual.get("/photos/t0/learning-step").json()
    assert (step["optimizer"], step["learning_rate"], step["momentum"]) == ("sgd", 0.01, 0.0)
    assert step["loss_after"] < step["loss"]
    refused = residual.client.get(f"{residual.base}/photos/t0/learning-step?memory=run")
    assert (refused.status_code, refused.json()["what"]) == (409, "residual is no run.")


@pytest.mark.parametrize(
    "path",
    ["", "/events", "/report", "/moments", "/photos/t0/moments", "/range-test", "/compare/other"],
)
def test_what_only_a_run_has_is_refused_with_the_reason(residual, path):
    answer = residual.client.get(f"{residual.base}{path}")
    assert answer.status_code == 409
    assert answer.json()["what"] == "residual is no run."
    assert "opened from residual" in answer.json()["why"]


def test_it_has_no_past(residual):
    answer = residual.client.get(f"{residual.base}/photos/t0/trace?step=3")
    assert (answer.status_code, answer.json()["what"]) == (409, "residual is no run.")


def test_its_photos_are_listed_by_class_and_in_turns(residual):
    def listed(query):
        page = residual.get(f"/photos{query}").json()
        return page["total"], [photo["path"] for photo in page["photos"]]

    assert listed("?label=red") == (2, ["red/1.png", "red/2.png"])
    assert listed("?order=mixed") == (
        4,
        ["red/1.png", "stripes/1.png", "unknown/1.png", "red/2.png"],
    )
    assert listed("?split=test") == (0, [])
    assert listed("?predicted=red") == (0, [])
    assert listed("?limit=1&offset=3&order=unsure") == (4, ["unknown/1.png"])


def test_a_dropped_photo_is_judged_and_looked_at(residual):
    content = (residual.photos / "red" / "1.png").read_bytes()
    sent = {**BEARER, "origin": f"http://127.0.0.1:{PORT}", "content-type": "image/png"}
    dropped = residual.client.post(f"{residual.base}/photos", content=content, headers=sent)
    assert dropped.status_code == 201
    trace = residual.get(f"/photos/{dropped.json()['id']}/trace").json()
    assert trace["probabilities"] == residual.get("/photos/t0/trace").json()["probabilities"]
    assert dropped.json()["predicted"] == trace["photo"]["predicted"]


def test_pictures_leave_as_png_and_the_fitted_one_is_what_the_network_reads(residual):
    image = residual.get("/photos/t1/image")
    assert image.headers["content-type"] == "image/png"
    fitted = residual.get("/photos/t1/image?fitted=true").content
    pixels = picture(fitted, name="it.png", image_px=PX).pixels
    expected = residual.batch("red/2.png")[0].numpy().transpose(1, 2, 0)
    assert np.array_equal(pixels, expected)
    gone = residual.client.get(f"{residual.base}/photos/t9")
    assert (gone.status_code, gone.json()["why"]) == (404, "its photos are t0 to t3.")


def test_a_network_without_photos_says_that_it_has_none(tmp_path, portal, residual):
    bare = opened(residual.classifier, name="bare", origin="opened from Python")
    client = Client(create_app(tmp_path, token=TOKEN, port=PORT, opened=[bare]), portal, OWN_PAGE)
    assert client.get("/api/opened").json()[0]["photos"] is None
    assert client.get(f"/api/runs/{bare.id}/photos").json() == {"total": 0, "photos": []}
    assert client.get(f"/api/runs/{bare.id}/photos/t0").json()["why"] == "it has none."


def test_looking_leaves_the_network_the_photos_and_the_folder_of_runs_as_they_were(asked):
    module = asked.classifier.module
    attached = hooks(module)
    weights = {name: tensor.clone() for name, tensor in module.state_dict().items()}
    modes = [part.training for part in module.modules()]
    files = {path: path.read_bytes() for path in asked.photos.rglob("*.png")}
    asked.get("/photos/t2/trace")
    asked.get("/photos/t2/backward")
    asked.get("/photos/t2/learning-step")
    assert hooks(module) == attached
    assert [part.training for part in module.modules()] == modes
    assert all(torch.equal(weights[name], now) for name, now in module.state_dict().items())
    assert {path: path.read_bytes() for path in asked.photos.rglob("*") if path.is_file()} == files
    assert not asked.runs_dir.exists()


def test_who_has_no_token_is_told_nothing_of_it(asked, portal):
    stranger = Client(asked.client.app, portal, {})
    answer = stranger.get("/api/opened")
    assert answer.status_code == 401
    assert asked.opened.name not in json.dumps(answer.json())
