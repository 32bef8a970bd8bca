"""A network in half precision, looked through over HTTP: told as torch computes it."""

import numpy as np
import pytest
import torch
from PIL import Image
from tests.serve.strangers import Residual

from seethrough.classifier import wrap
from seethrough.data.collection import collect
from seethrough.serve.app import create_app
from seethrough.serve.opened import opened

from .conftest import OWN_PAGE, PORT, TOKEN, Client, photo_of

# The name of the type and 4 roundings of it, each half the distance of 1 to the next number.
TYPES = {torch.float16: ("float16", 4 * 2**-11), torch.bfloat16: ("bfloat16", 4 * 2**-8)}


class Halved:
    """An opened network of a number type, a photo of it, and a way to ask."""

    def __init__(self, dtype, folder, portal):
        self.dtype = dtype
        path = folder / "photos" / "red" / "1.png"
        path.parent.mkdir(parents=True)
        self.pixels = photo_of("red", np.random.default_rng(5))[:16, :16]
        Image.fromarray(self.pixels).save(path)
        torch.manual_seed(11)
        module = Residual().eval().to(dtype)
        px = self.pixels.shape[0]
        self.classifier = wrap(module, classes=("red", "stripes", "dots"), image_px=px)
        found = collect(folder / "photos", self.classifier.classes)
        it = opened(self.classifier, name="half", origin="opened from Python", photos=found)
        self.id = it.id
        app = create_app(folder / "runs", token=TOKEN, port=PORT, opened=[it])
        self.client = Client(app, portal, OWN_PAGE)
        self.base = f"/api/runs/{it.id}"

    def get(self, path):
        answer = self.client.get(f"{self.base}/photos/t0{path}")
        assert answer.status_code == 200, answer.text
        return answer


@pytest.fixture(scope="module", params=TYPES, ids=str)
def halved(request, tmp_path_factory, portal):
    return Halved(request.param, tmp_path_factory.mktemp("half"), portal)


def cell_of(layer):
    return "&row=0&column=0" if len(layer["shape"]) == 3 else ""


def test_every_equation_tells_what_the_number_type_explains_and_stays_below_it(halved):
    name, bound = TYPES[halved.dtype]
    layers = halved.get("/trace").json()["layers"]
    differs = 0
    for layer in layers:
        found = halved.get(f"/equation?layer={layer['name']}&unit=1{cell_of(layer)}").json()
        differs += abs(found["relative_difference"]) > 1e-5
        assert found["adds_up"], layer["name"]
        if layer["kind"] == "softmax":  # ours, of the logits as they are
            assert (found["precision"], found["tolerance"]) == ("float32", 1e-5)
        else:
            assert (found["precision"], found["tolerance"]) == (name, pytest.approx(bound))
        assert abs(found["relative_difference"]) <= found["tolerance"], layer["name"]
    assert differs > 3  # what holds for float32 does not hold here


def test_its_logits_are_those_of_the_module_bit_for_bit(halved):
    pixels = torch.from_numpy(halved.pixels.copy()).permute(2, 0, 1)[None].to(halved.dtype)
    with torch.inference_mode():
        said = halved.classifier.module(pixels)[0]
    assert said.dtype == halved.dtype
    assert halved.get("/trace").json()["logits"] == said.float().tolist()


def test_the_way_back_is_told_with_the_same_bound(halved):
    message = halved.get("/backward").json()
    assert np.isfinite(message["loss"])
    for layer in message["layers"][:-1]:
        where = f"layer={layer['name']}&unit=0{cell_of(layer)}"
        found = halved.get(f"/gradient-equation?{where}").json()
        assert found["precision"] == TYPES[halved.dtype][0]
        assert abs(found["relative_difference"]) <= found["tolerance"], layer["name"]


@pytest.mark.parametrize("path", ["/activations", "/gradients", "/learning-step"])
def test_what_else_is_asked_about_a_photo_is_answered(halved, path):
    assert halved.get(path).content


def test_its_kernels_and_a_change_are_answered(halved):
    layers = halved.get("/trace").json()["layers"]
    conv = next(layer["name"] for layer in layers if layer["kind"] == "conv")
    told = halved.client.get(f"{halved.base}/weights?layer={conv}")
    own = dict(halved.classifier.module.named_parameters())[f"{conv}.weight"]
    assert told.content == own.detach().float().numpy().astype("<f4").tobytes()
    question = {"off": [{"layer": conv, "unit": 0}]}
    found = halved.client.post(f"{halved.base}/photos/t0/what-if", json=question)
    assert found.status_code == 200
    assert found.json()["changed"][0]["layer"] == conv
