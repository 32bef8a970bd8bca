"""`explain` and `verify`: one value's arithmetic, checked here by hand."""

import itertools
from fractions import Fraction

import numpy as np
import pytest

from seethrough.runs.folder import open_run
from seethrough.serve.wire import EquationMessage


@pytest.fixture
def photo(shapes):
    return shapes / "stripe" / "03.png"


def test_a_convolution_is_the_sum_of_its_products_with_stride_and_padding(
    seethrough, trained, photo
):
    """Cell 0,5 of `conv 4 k3 s2 p1`: a window at the border, computed again with numpy."""
    words = ("--layer", "conv1", "--unit", "2", "--at", "0,5", "--runs-dir", trained.runs_dir)
    said = seethrough("explain", trained.id, photo, *words, "--json").json
    EquationMessage.model_validate(said)
    trace = open_run(trained.id, trained.runs_dir).classifier.trace(photo)
    below, layer = trace.layer("normalise").output, trace.layer("conv1")
    padded = np.pad(below, ((0, 0), (1, 1), (1, 1))).astype(np.float64)
    window = padded[:, 0:3, 10:13]
    kernel = layer.parameters["weight"][2].astype(np.float64)
    assert said["kind"] == "conv"
    assert len(said["terms"]) == 27
    assert sum(term["is_padding"] for term in said["terms"]) == 9
    assert said["sum"] == pytest.approx(float((window * kernel).sum()), abs=1e-12)
    assert said["framework"] == float(layer.output[2, 0, 5])
    assert said["difference"] == said["sum"] - said["framework"]
    for term in said["terms"]:
        place = (term["channel"], term["row"] + 1, term["column"] + 1)
        assert term["input"] == padded[place]
        assert term["product"] == term["input"] * term["weight"]


def test_the_shown_digits_add_up_in_every_layer(seethrough, trained, photo):
    words = ("explain", trained.id, photo, "--runs-dir", trained.runs_dir)
    layers = [layer["name"] for layer in seethrough(*words, "--json").json["layers"]]
    assert layers[:2] == ["normalise", "conv1"]
    assert layers[-2:] == ["dense1", "softmax"]
    for name in layers:
        said = seethrough(*words, "--layer", name, "--json").json
        shown = [Fraction(term["shown_product"]) for term in said["terms"]]
        bias = Fraction(said["shown_bias"] or 0)
        assert said["adds_up"]
        if "max_pool" not in said["kind"]:
            assert sum(shown) + bias == Fraction(said["shown_sum"]), name


def test_without_a_layer_all_are_listed_with_what_the_network_says(seethrough, trained, photo):
    words = ("explain", trained.id, photo, "--runs-dir", trained.runs_dir)
    said = seethrough(*words, "--json").json
    predicted = open_run(trained.id, trained.runs_dir).classifier.predict(photo)
    assert (said["photo"], said["label"]) == (str(photo), predicted.label)
    assert said["probability"] == pytest.approx(predicted.probability)
    assert [4, 6, 6] in [layer["shape"] for layer in said["layers"]]
    shown = seethrough(*words).out
    assert "conv1      conv 4 k3 s2 p1" in shown
    assert "4 × 6 × 6" in shown


def test_what_is_not_named_is_taken_where_the_value_is_largest(seethrough, trained, photo):
    words = ("explain", trained.id, photo, "--layer", "relu1", "--runs-dir", trained.runs_dir)
    output = open_run(trained.id, trained.runs_dir).classifier.trace(photo).layer("relu1").output
    found = seethrough(*words, "--json").json
    assert output[found["unit"], found["row"], found["column"]] == output.max()
    found = seethrough(*words, "--unit", "1", "--json").json
    assert output[1, found["row"], found["column"]] == output[1].max()
    found = seethrough(*words, "--at", "2,3", "--json").json
    assert output[found["unit"], 2, 3] == output[:, 2, 3].max()


def test_a_photo_of_the_data_set_has_an_id(seethrough, shapes, trained):
    words = ("--layer", "conv1", "--unit", "0", "--at", "1,1", "--runs-dir", trained.runs_dir)
    by_id = seethrough("explain", trained.id, "t0", *words, "--json").out
    by_path = seethrough("explain", trained.id, shapes / "circle" / "00.png", *words, "--json").out
    assert by_id == by_path


def test_in_the_terminal_it_is_a_page_to_read(seethrough, trained, photo):
    words = ("--layer", "conv1", "--unit", "2", "--at", "0,5", "--runs-dir", trained.runs_dir)
    said = seethrough("explain", trained.id, photo, *words)
    assert said.out.startswith("conv1, unit 2, row 0, column 5: ")
    assert "the digits add up as displayed" in said.out
    assert said.err == ""


@pytest.mark.parametrize(
    ("words", "remark"),
    [
        (["PHOTO", "--layer", "conv9"], "conv9"),
        (["PHOTO", "--layer", "conv1", "--unit", "4", "--at", "0,0"], "no unit 4"),
        (["PHOTO", "--layer", "conv1", "--unit", "99"], "no unit 99"),
        (["PHOTO", "--layer", "conv1", "--unit", "0", "--at", "6,0"], "row 6"),
        (["PHOTO", "--layer", "conv1", "--at", "60,0"], "row 60"),
        (["PHOTO", "--layer", "conv1", "--at", "a,b"], "is not ROW,COLUMN"),
        (["PHOTO", "--unit", "1"], "belong to a layer"),
        (["t60"], "no photo t60"),
        (["missing.jpg"], "missing.jpg"),
    ],
)
def test_what_does_not_exist_is_named(seethrough, trained, photo, words, remark):
    named = [str(photo) if word == "PHOTO" else word for word in words]
    said = seethrough("explain", trained.id, *named, "--runs-dir", trained.runs_dir, "--json")
    assert (said.code, said.out) == (2, "")
    assert remark in said.err


def test_verify_finds_every_equation_right(seethrough, trained):
    words = ("verify", trained.id, "--cells", "60", "--runs-dir", trained.runs_dir)
    said = seethrough(*words, "--json")
    found = said.json
    assert said.code == 0
    assert found["cells"] >= 60
    assert found["adds_up"] == 1
    assert (found["wrong"], found["unknown"]) == ([], [])
    assert 0 <= found["forward_worst"] < 1e-5
    assert found["forward_worst"] == max(found["layers"].values())
    shown = seethrough(*words).out
    assert f"{found['cells']} activations recomputed" in shown
    assert all(name in shown for name in itertools.islice(found["layers"], 3))


# ---------------------------------------------------------------- backwards


def test_backwards_a_weight_is_moved_by_what_it_met_and_what_came_back(seethrough, trained, photo):
    """conv1's weight 2,1,0,2: Σ of the padded input's cells × the gradient map, with numpy."""
    words = ("--layer", "conv1", "--weight", "2,1,0,2", "--label", "stripe")
    said = seethrough(
        "explain", trained.id, photo, *words, "--runs-dir", trained.runs_dir, "--json"
    ).json
    EquationMessage.model_validate(said)
    back = open_run(trained.id, trained.runs_dir).classifier.backward(photo, "stripe")
    upstream = back.gradient("conv1")[2].astype(np.float64)
    padded = np.pad(back.trace.layer("normalise").output, ((0, 0), (1, 1), (1, 1)))
    met = padded[1, 0 : 2 * len(upstream) : 2, 2 : 2 + 2 * upstream.shape[1] : 2]
    assert (said["direction"], said["parameter"], said["index"]) == (
        "parameter",
        "weight",
        [2, 1, 0, 2],
    )
    assert said["sum"] == pytest.approx(float((met * upstream).sum()), rel=1e-9)
    assert abs(said["difference"]) < 1e-6
    assert said["adds_up"]


def test_backwards_at_a_cell_without_a_place_the_largest_is_taken(seethrough, trained, photo):
    words = ("explain", trained.id, photo, "--layer", "relu1", "--gradient", "--label", "circle")
    said = seethrough(*words, "--runs-dir", trained.runs_dir, "--json").json
    gradient = open_run(trained.id, trained.runs_dir).classifier.backward(photo, "circle")
    assert abs(said["framework"]) == np.abs(gradient.gradient("relu1")).max()
    assert [step["layer"] for step in said["steps"]] == ["relu1", "norm1"]
    text = seethrough(*words, "--runs-dir", trained.runs_dir).out
    assert text.startswith("gradient of the loss at relu1, unit ")


def test_backwards_the_cell_that_was_named_is_taken(seethrough, trained, photo):
    words = ("explain", trained.id, photo, "--layer", "relu1", "--unit", "2", "--at", "3,4")
    words = (*words, "--gradient", "--label", "circle", "--runs-dir", trained.runs_dir)
    said = seethrough(*words, "--json").json
    assert (said["unit"], said["row"], said["column"]) == (2, 3, 4)
    first = seethrough(*words).out.partition("\n")[0]
    assert first == f"gradient of the loss at relu1, unit 2, row 3, column 4: {said['shown_sum']}"


def test_a_photo_of_the_data_set_has_its_own_class_for_the_loss(seethrough, trained):
    words = ("explain", trained.id, "t0", "--layer", "dense1", "--runs-dir", trained.runs_dir)
    own = seethrough(*words, "--unit", "0", "--gradient", "--json").json
    named = seethrough(*words, "--unit", "0", "--gradient", "--label", "circle", "--json").json
    assert own == named
    assert own["bias"] == -1


def test_a_file_needs_a_label_for_its_loss(seethrough, trained, photo):
    words = ("--layer", "relu1", "--gradient", "--runs-dir", trained.runs_dir)
    said = seethrough("explain", trained.id, photo, *words)
    assert said.code == 2
    assert "--label" in said.err
    unknown = seethrough("explain", trained.id, photo, *words, "--label", "moon")
    assert unknown.code == 2
    assert "There is no class 'moon'." in unknown.err


def test_two_numbers_at_once_are_refused(seethrough, trained, photo):
    words = ("--layer", "conv1", "--weight", "0,0,0,0", "--at", "1,1", "--label", "circle")
    said = seethrough("explain", trained.id, photo, *words, "--runs-dir", trained.runs_dir)
    assert said.code == 2
    assert "Ask for one" in said.err


def test_a_gradient_is_tried_by_moving_the_weight(seethrough, trained, photo):
    words = ("explain", trained.id, photo, "--label", "stripe", "--runs-dir", trained.runs_dir)
    words = (*words, "--check", "--layer")
    said = seethrough(*words, "conv1", "--weight", "2,1,0,2", "--json").json
    check = said["check"]
    assert (check["name"], check["index"]) == ("conv1.weight", [2, 1, 0, 2])
    assert check["gradient"] == pytest.approx(said["sum"], rel=1e-5)
    assert check["relative_difference"] < 1e-5
    shown = seethrough(*words, "dense1", "--bias", "1").out
    assert "dense1.bias 1 moved: slope = (loss at w + h - loss at w - h) / 2h" in shown
    row = next(line.split() for line in shown.splitlines() if line.strip().startswith("0.001 "))
    step, below, above, slope = map(Fraction, row[:4])
    assert (above - below) / (2 * step) == slope
    refused = seethrough(*words, "conv1")
    assert refused.code == 2
    assert "name it with --weight or --bias" in refused.err


def test_verify_goes_both_ways(seethrough, trained):
    words = ("verify", trained.id, "--cells", "40", "--runs-dir", trained.runs_dir)
    said = seethrough(*words, "--json")
    assert said.code == 0
    assert said.json["gradients"] >= 40
    assert 0 < said.json["backward_worst"] < 1e-5
    assert set(said.json["backward_layers"]) >= {"photo", "conv1", "norm1", "relu1", "dense1"}
    assert "gradients recomputed" in seethrough(*words).out


def test_verify_takes_a_function_that_makes_a_network(seethrough, tmp_path):
    own = tmp_path / "mine.py"
    own.write_text(
        "from torch import nn\n"
        "def make(num_classes):\n"
        "    return nn.Sequential(nn.Conv2d(3, 4, 3), nn.GELU(), nn.Flatten(),\n"
        "                         nn.Linear(4 * 14 * 14, num_classes))\n"
    )
    words = ("--cells", "30", "--image-px", "16", "--classes", "5", "--json")
    said = seethrough("verify", f"{own}:make", *words)
    assert said.code == 0
    assert said.json["cells"] >= 30
    assert "gelu" in said.json["kinds"]
    assert 0 < said.json["backward_worst"] < 1e-5


@pytest.mark.parametrize("precision", ["half", "bfloat16"])
def test_verify_asks_a_network_in_half_precision_in_its_own_type(seethrough, tmp_path, precision):
    own = tmp_path / "mine.py"
    own.write_text(
        "from torch import nn\n"
        "def make(num_classes):\n"
        "    return nn.Sequential(nn.Conv2d(3, 4, 3), nn.AvgPool2d(2), nn.Flatten(),\n"
        f"                         nn.Linear(4 * 49, num_classes)).{precision}()\n"
    )
    words = (f"{own}:make", "--cells", "30", "--image-px", "16")
    said = seethrough("verify", *words, "--json")
    assert said.code == 0
    assert said.json["precision"] == ("float16" if precision == "half" else precision)
    assert 1e-5 < said.json["forward_worst"] <= said.json["tolerance"]
    assert said.json["beyond"] == []
    text = " ".join(seethrough("verify", *words).out.split())  # lines are broken
    assert f"computes in {said.json['precision']}, whose rounding explains up to" in text
