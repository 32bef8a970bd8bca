"""An ONNX file becomes a module that can be asked and looked through; others are refused."""

import numpy as np
import onnx
import pytest
import torch
from onnx import TensorProto, helper, numpy_helper
from onnx.reference import ReferenceEvaluator

import seethrough as see
from seethrough.errors import CheckpointError, ShapeError
from seethrough.explain import verify
from seethrough.model.onnx.reading import read

RNG = np.random.default_rng(2)
SHAPES = {
    "kernel": (4, 3, 3, 3),
    "kernel_bias": (4,),
    "scale": (4,),
    "shift": (4,),
    "mean": (4,),
    "variance": (4,),
    "weight": (3, 64),
    "bias": (3,),
}
PHOTOS = RNG.integers(256, size=(3, 8, 8, 3), dtype=np.uint8)


@pytest.fixture
def numbers():
    found = {name: RNG.normal(size=shape).astype(np.float32) for name, shape in SHAPES.items()}
    found["variance"] = np.abs(found["variance"]) + np.float32(0.5)
    return found


def saved(folder, numbers, *, is_channels_last=False, ending="Softmax", size=8):
    """A file as another program would write it: conv, norm, relu, pool, dense, softmax."""
    nodes = [
        helper.make_node("Conv", ["x", "kernel", "kernel_bias"], ["a"], pads=[1, 1, 1, 1]),
        helper.make_node("BatchNormalization", ["a", "scale", "shift", "mean", "variance"], ["b"]),
        helper.make_node("Relu", ["b"], ["c"]),
        helper.make_node("MaxPool", ["c"], ["d"], kernel_shape=[2, 2], strides=[2, 2]),
        helper.make_node("Flatten", ["d"], ["e"]),
        helper.make_node("Gemm", ["e", "weight", "bias"], ["f"], transB=1),
        helper.make_node(ending, ["f"], ["answer"]),
    ]
    shape = ["n", 3, size, size]
    if is_channels_last:
        nodes.insert(0, helper.make_node("Transpose", ["photo"], ["x"], perm=[0, 3, 1, 2]))
        shape = ["n", size, size, 3]
    entry = "photo" if is_channels_last else "x"
    graph = helper.make_graph(
        nodes,
        "net",
        [helper.make_tensor_value_info(entry, TensorProto.FLOAT, shape)],
        [helper.make_tensor_value_info("answer", TensorProto.FLOAT, ["n", 3])],
        [numpy_helper.from_array(array, name) for name, array in numbers.items()],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=10)
    onnx.save(model, folder / "net.onnx")
    return folder / "net.onnx"


@pytest.mark.parametrize("is_channels_last", [False, True])
def test_the_probabilities_are_those_of_the_reference(tmp_path, numbers, is_channels_last):
    path = saved(tmp_path, numbers, is_channels_last=is_channels_last)
    classifier = see.wrap(path, classes=["cat", "dog", "cow"])
    assert classifier.image_px == 8
    pixels = PHOTOS.astype(np.float32) / 255
    given = pixels if is_channels_last else pixels.transpose(0, 3, 1, 2)
    entry = "photo" if is_channels_last else "x"
    wanted = ReferenceEvaluator(str(path)).run(None, {entry: given})[0]
    np.testing.assert_allclose(classifier.probabilities(PHOTOS), wanted, atol=1e-6)


def test_its_layers_have_names_and_equations_that_hold(tmp_path, numbers):
    classifier = see.wrap(saved(tmp_path, numbers))
    assert classifier.classes == ("0", "1", "2")
    trace = classifier.trace(PHOTOS[0])
    named = [layer.name.removeprefix("network.") for layer in trace.layers]
    kinds = ["normalise", "conv1", "norm1", "relu1", "pool1", "flatten1", "dense1", "softmax1"]
    assert named == kinds
    kernel = trace.layer("network.conv1").parameters["weight"]
    assert np.array_equal(kernel, numbers["kernel"])
    found = verify(classifier.module, PHOTOS, cells=60)
    assert found.forward_worst < 1e-5
    assert found.backward_worst < 1e-5
    assert found.adds_up == 1
    assert not found.unknown


def test_the_file_tells_its_parameters_to_torch(tmp_path, numbers):
    module = read(saved(tmp_path, numbers)).module
    learned = {"kernel", "kernel_bias", "scale", "shift", "weight", "bias"}
    wanted = sum(numbers[name].size for name in learned)
    assert sum(parameter.numel() for parameter in module.parameters()) == wanted
    assert torch.equal(module.state_dict()["norm1.running_var"], torch.tensor(numbers["variance"]))


def test_operators_that_are_not_known_are_named(tmp_path, numbers):
    with pytest.raises(CheckpointError, match="operators that are not known here: Hardmax"):
        read(saved(tmp_path, numbers, ending="Hardmax"))


@pytest.mark.parametrize("content", [b"", b"not a network at all", None])
def test_what_is_no_onnx_file_is_refused(tmp_path, numbers, content):
    path = saved(tmp_path, numbers)
    path.write_bytes(path.read_bytes()[:-200] if content is None else content)
    with pytest.raises(CheckpointError, match="cannot be read as an ONNX file"):
        read(path)


def test_a_file_that_is_not_there_is_refused(tmp_path):
    with pytest.raises(CheckpointError, match="cannot be opened") as caught:
        see.wrap(tmp_path / "nothing.onnx")
    assert caught.value.fix == "check the path."


def test_a_size_that_the_file_leaves_open_is_asked_for(tmp_path, numbers):
    path = saved(tmp_path, numbers, size="side")
    with pytest.raises(ShapeError, match="how large its images are"):
        see.wrap(path)
    assert see.wrap(path, image_px=8).image_px == 8


def test_a_module_alone_does_not_tell_its_classes():
    with pytest.raises(ShapeError, match="how many classes") as caught:
        see.wrap(torch.nn.Flatten(), image_px=8)
    assert "classes=" in caught.value.fix
