"""`studio --network`: what was named is opened, or refused in three sentences."""

import numpy as np
import pytest
import torch
from PIL import Image
from safetensors.torch import save_file
from tests.serve.strangers import onnx_file

from seethrough.cli.network import Named, classes_of, open_network
from seethrough.errors import CheckpointError, DataError, SeethroughError, ShapeError, SpecError
from seethrough.runs.folder import open_run
from seethrough.serve.opened import OF_A_FILE, RECORDED

NETS = """
from torch import nn

class Small(nn.Module):
    def __init__(self, k):
        super().__init__()
        self.conv = nn.Conv2d(3, 4, 3)
        self.norm = nn.BatchNorm2d(4)
        self.fc = nn.Linear(4, k)

    def forward(self, x):
        return self.fc(self.norm(self.conv(x)).relu().mean((2, 3)))

def make(num_classes):
    return Small(num_classes)

def chain(num_classes):
    return nn.Sequential(nn.Conv2d(3, 4, 3), nn.ReLU(), nn.Flatten(), nn.LazyLinear(num_classes))
"""


@pytest.fixture
def place(tmp_path, monkeypatch):
    (tmp_path / "nets.py").write_text(NETS)
    for name in ("cup/1.png", "pen/1.png"):
        (tmp_path / "photos" / name).parent.mkdir(parents=True)
        pixels = np.full((12, 10, 3), 90, dtype=np.uint8)
        Image.fromarray(pixels).save(tmp_path / "photos" / name)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("SEETHROUGH_CACHE", str(tmp_path / "cache"))
    return tmp_path


def named(network, **more):
    given = dict.fromkeys(("weights", "classes", "image_px", "mean", "std", "photos"))
    return Named(network, **{**given, **more})


def given_weights(place, function, classes):
    """The state of a bare module, as its owner would save it; and what it answers."""
    names = {}
    exec(NETS, names)
    torch.manual_seed(4)
    module = names[function](classes).eval()
    module(torch.zeros(1, 3, 8, 8))
    save_file(module.state_dict(), place / "w.safetensors")
    return module


@pytest.mark.parametrize("function", ["make", "chain"])
def test_a_function_gets_the_weights_of_its_bare_module(place, function):
    module = given_weights(place, function, 3)
    found = open_network(
        named(
            f"nets.py:{function}",
            weights=place / "w.safetensors",
            classes="cup,pen,spoon",
            image_px=8,
            mean=(0.5, 0.4, 0.3),
            std=(0.2, 0.3, 0.4),
            photos="photos",
        )
    )
    image = np.random.default_rng(0).integers(0, 256, (8, 8, 3), dtype=np.uint8)
    x = torch.from_numpy(image.transpose(2, 0, 1)).double()[None] / 255
    shift = torch.tensor([0.5, 0.4, 0.3]).view(1, 3, 1, 1)
    scale = torch.tensor([0.2, 0.3, 0.4]).view(1, 3, 1, 1)
    with torch.inference_mode():
        expected = torch.softmax(module(((x - shift) / scale).float())[0], 0)
    said = found.classifier.predict(image).probabilities
    assert list(said) == ["cup", "pen", "spoon"]
    assert list(said.values()) == pytest.approx(expected.tolist(), rel=1e-4)
    assert (found.name, found.graph) == (f"nets.py:{function}", RECORDED)
    assert found.origin == "opened from a function of yours, with the weights of w.safetensors"
    assert [photo.label for photo in found.photos.photos] == ["cup", "pen"]


def test_the_weights_of_a_run_know_its_classes_size_and_normalisation(trained, place):
    run = open_run(trained.id, trained.runs_dir)
    network, weights = run.manifest.network.text, run.folder / "weights.safetensors"
    found = open_network(named(network, weights=weights))
    own, opened = run.classifier, found.classifier
    assert (opened.classes, opened.image_px) == (own.classes, own.image_px)
    images = np.random.default_rng(0).integers(0, 256, (3, 12, 12, 3), dtype=np.uint8)
    assert np.array_equal(opened.probabilities(images), own.probabilities(images))
    assert found.origin == "made here, with the weights of weights.safetensors"
    with pytest.raises(ShapeError, match="These weights normalise by themselves"):
        open_network(named(network, weights=weights, mean=(0.0,) * 3, std=(1.0,) * 3))


def test_an_onnx_file_is_opened_with_the_names_that_are_given(place):
    onnx_file(place / "model.onnx", px=8, classes=2)
    plain = open_network(named("model.onnx"))
    assert (plain.classes, plain.image_px, plain.photos) == (("0", "1"), 8, None)
    assert (plain.name, plain.origin) == ("model.onnx", "opened from an ONNX file")
    assert plain.graph == OF_A_FILE
    found = open_network(named("model.onnx", classes="cup,pen", photos="photos"))
    assert found.classes == ("cup", "pen")
    assert [photo.label for photo in found.photos.photos] == ["cup", "pen"]


def test_classes_are_a_list_a_file_or_a_number(place):
    (place / "names.txt").write_text("cup\n\n pen \nspoon\n")
    assert classes_of("cup, pen,spoon") == classes_of("names.txt") == ("cup", "pen", "spoon")
    assert classes_of("3") == ("0", "1", "2")
    assert classes_of(None) == ()
    with pytest.raises(DataError, match=r"nothing\.txt cannot be used") as caught:
        classes_of("nothing.txt")
    assert "no such file" in caught.value.why
    with pytest.raises(DataError, match="cannot be used") as caught:
        classes_of("cup,pen,cup")
    assert "'cup' twice" in caught.value.why


def test_what_is_missing_is_named_before_any_code_runs(place):
    (place / "loud.py").write_text("raise SystemExit('it ran')")
    with pytest.raises(ShapeError, match="--classes and --image-px are missing"):
        open_network(named("loud.py:make"))
    with pytest.raises(ShapeError, match=r"^--image-px is missing"):
        open_network(named("loud.py:make", classes="2"))
    with pytest.raises(SpecError, match=r"loud.py cannot be imported"):
        open_network(named("loud.py:make", classes="2", image_px=8))


def test_weights_of_another_network_and_pickles_are_refused(place):
    given_weights(place, "make", 3)
    with pytest.raises(CheckpointError, match="belong to another network") as caught:
        open_network(
            named("nets.py:make", weights=place / "w.safetensors", classes="2", image_px=8)
        )
    assert "fc" in caught.value.why
    torch.save({"w": torch.zeros(1)}, place / "w.pt")
    with pytest.raises(CheckpointError, match="is a pickle"):
        open_network(named("nets.py:make", weights=place / "w.pt", classes="2", image_px=8))
    (place / "torn.safetensors").write_bytes((place / "w.safetensors").read_bytes()[:99])
    with pytest.raises(CheckpointError, match="cannot be read as safetensors"):
        open_network(
            named("nets.py:make", weights=place / "torn.safetensors", classes="2", image_px=8)
        )


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--network", "none.onnx"], "none.onnx cannot be opened."),
        (["--network", "bad.onnx"], "bad.onnx cannot be read as an ONNX file."),
        (["--network", "model.onnx", "--classes", "a,b,c"], "gives 2 numbers for 3 classes"),
        (["--network", "model.onnx", "--photos", "none"], "no such folder or zip"),
        (["--network", "model.onnx", "--photos", "empty"], "empty: no photos in it."),
        (["--network", "model.onnx", "--weights", "w.safetensors"], "leave --weights out"),
        (["--network", "model.onnx", "--mean", "0,0,0"], "--mean and --std go together"),
        (["--network", "model.onnx", "--mean", "0,0"], "is not R,G,B"),
        (["last", "--network", "model.onnx"], "Name a run or give --network"),
        (["--photos", "photos"], "go with --network"),
    ],
)
def test_a_mistake_is_told_with_code_2_and_no_server_is_started(seethrough, place, words, said):
    onnx_file(place / "model.onnx", px=8, classes=2)
    (place / "bad.onnx").write_bytes(b"nothing")
    (place / "empty").mkdir()
    found = seethrough("studio", *words, "--no-open", "--runs-dir", place / "runs")
    assert (found.code, found.out) == (2, "")
    assert said in found.err
    assert not (place / "runs").exists()


def test_every_error_says_what_why_and_how_to_fix_it(place):
    with pytest.raises(SeethroughError) as caught:
        open_network(named("resnet-18"))
    assert all((caught.value.what, caught.value.why, caught.value.fix))
