"""Every operator against onnx's own reference, which is NumPy."""

import numpy as np
import onnx
import pytest
import torch
from onnx import TensorProto, helper, numpy_helper
from onnx.reference import ReferenceEvaluator

from seethrough.errors import CheckpointError
from seethrough.model.onnx.operators import OPERATORS
from seethrough.model.onnx.reading import read

RNG = np.random.default_rng(11)
OPSET = 20


def normal(*shape: int) -> np.ndarray:
    return RNG.normal(size=shape).astype(np.float32)


def positive(*shape: int) -> np.ndarray:
    return np.abs(normal(*shape)) + np.float32(0.1)


def whole(*values: int) -> np.ndarray:
    return np.array(values, dtype=np.int64)


X = normal(2, 4, 9, 8)
V = normal(2, 6)
VALUE = numpy_helper.from_array(np.array([2.5], dtype=np.float32))
# operator, what it reads (first what comes in, then what the file holds), attributes
CASES = [
    ("Abs", [X], {}),
    ("Add", [X, normal(4, 1, 1)], {}),
    ("AveragePool", [X], {"kernel_shape": [3, 2], "strides": [2, 2]}),
    ("AveragePool", [X], {"kernel_shape": [3, 3], "pads": [1, 1, 1, 1]}),
    ("AveragePool", [X], {"kernel_shape": [3, 3], "pads": [1, 1, 1, 1], "count_include_pad": 1}),
    ("AveragePool", [X], {"kernel_shape": [2, 2], "pads": [0, 0, 1, 1]}),
    ("AveragePool", [X], {"kernel_shape": [3, 3], "strides": [2, 2], "auto_pad": "SAME_UPPER"}),
    ("BatchNormalization", [X, normal(4), normal(4), normal(4), positive(4)], {"epsilon": 1e-3}),
    ("Ceil", [X], {}),
    ("Clip", [X, np.float32(-0.5), np.float32(0.25)], {}),
    ("Clip", [5 * X, np.float32(0), np.float32(6)], {}),
    ("Concat", [X, normal(2, 3, 9, 8)], {"axis": 1}),
    ("Conv", [X, normal(6, 4, 3, 3), normal(6)], {"pads": [1, 1, 1, 1], "strides": [2, 1]}),
    ("Conv", [X, normal(6, 4, 3, 2)], {"pads": [0, 1, 2, 0]}),
    ("Conv", [X, normal(4, 1, 3, 3)], {"group": 4, "dilations": [2, 2]}),
    ("Conv", [X, normal(2, 4, 3, 3)], {"auto_pad": "SAME_UPPER", "strides": [2, 2]}),
    ("Conv", [X, normal(2, 4, 2, 2)], {"auto_pad": "SAME_LOWER"}),
    ("ConvTranspose", [X, normal(4, 3, 2, 2)], {"strides": [2, 2]}),
    ("Div", [X, np.float32(255)], {}),
    ("Dropout", [X], {}),
    ("Elu", [X], {"alpha": 0.7}),
    ("Erf", [X], {}),
    ("Exp", [X], {}),
    ("Expand", [V[:, :1], whole(2, 5)], {}),
    ("Flatten", [X], {"axis": 1}),
    ("Flatten", [X], {"axis": 2}),
    ("Floor", [X], {}),
    ("Gather", [X, whole(2, 0)], {"axis": 1}),
    ("Gather", [X, np.array(-1, dtype=np.int64)], {"axis": 3}),
    ("Gelu", [X], {}),
    ("Gelu", [X], {"approximate": "tanh"}),
    ("Gemm", [V, normal(3, 6), normal(3)], {"transB": 1}),
    ("Gemm", [V, normal(6, 3), normal(3)], {"alpha": 0.5, "beta": 2.0}),
    ("GlobalAveragePool", [X], {}),
    ("GlobalMaxPool", [X], {}),
    ("GroupNormalization", [X, normal(2), normal(2)], {"num_groups": 2}),
    ("HardSigmoid", [X], {}),
    ("HardSigmoid", [X], {"alpha": 1 / 6, "beta": 0.5}),
    ("HardSwish", [X], {}),
    ("Identity", [X], {}),
    ("InstanceNormalization", [X, normal(4), normal(4)], {}),
    ("LayerNormalization", [V, normal(6), normal(6)], {"axis": -1}),
    ("LeakyRelu", [X], {"alpha": 0.2}),
    ("LogSoftmax", [V], {"axis": 1}),
    ("MatMul", [V, normal(6, 3)], {}),
    ("Max", [X, np.float32(0.1)], {}),
    ("MaxPool", [X], {"kernel_shape": [3, 3], "strides": [2, 2], "pads": [1, 1, 1, 1]}),
    ("MaxPool", [X], {"kernel_shape": [2, 2], "strides": [2, 2], "ceil_mode": 1}),
    ("MaxPool", [X], {"kernel_shape": [3, 3], "strides": [2, 2], "pads": [0, 0, 1, 1]}),
    ("Min", [X, np.float32(0.1)], {}),
    ("Mish", [X], {}),
    ("Mul", [X, normal(4, 1, 1)], {}),
    ("Neg", [X], {}),
    ("PRelu", [X, positive(4, 1, 1)], {}),
    ("Pad", [X, whole(0, 0, 1, 2, 0, 0, 0, 1), np.float32(0.5)], {}),
    ("Pad", [X, whole(0, 0, 1, 2, 0, 0, 0, 1)], {"mode": "reflect"}),
    ("Pad", [X, whole(0, 0, 1, 2, 0, 0, 0, 1)], {"mode": "edge"}),
    ("Pow", [positive(2, 3), np.float32(1.5)], {}),
    ("Reciprocal", [positive(2, 3)], {}),
    ("ReduceMax", [X, whole(2, 3)], {"keepdims": 0}),
    ("ReduceMean", [X, whole(-1, -2)], {"keepdims": 0}),
    ("ReduceMean", [X], {}),
    ("ReduceSum", [X, whole(1)], {}),
    ("Relu", [X], {}),
    ("Reshape", [X, whole(0, 2, -1)], {}),
    ("Resize", [X, None, np.array([1, 1, 2, 2], dtype=np.float32)],
     {"coordinate_transformation_mode": "asymmetric", "nearest_mode": "floor"}),
    ("Resize", [X, None, np.array([1, 1, 2, 2], dtype=np.float32)], {"mode": "linear"}),
    ("Selu", [X], {}),
    ("Shape", [X], {"start": 1, "end": 3}),
    ("Sigmoid", [X], {}),
    ("Slice", [X, whole(1, 0), whole(3, -1), whole(1, 3), whole(1, 2)], {}),
    ("Softmax", [V], {"axis": -1}),
    ("Softplus", [X], {}),
    ("Softsign", [X], {}),
    ("Sqrt", [positive(2, 3)], {}),
    ("Squeeze", [normal(2, 4, 1, 1), whole(2, 3)], {}),
    ("Sub", [X, normal(4, 1, 1)], {}),
    ("Sum", [X, X, normal(4, 1, 1)], {}),
    ("Tanh", [X], {}),
    ("Transpose", [X], {"perm": [0, 2, 3, 1]}),
    ("Unsqueeze", [V, whole(2, 3)], {}),
]  # fmt: skip
ELSEWHERE = {"Cast", "Constant", "ConstantOfShape", "Range", "Split", "Swish"}


def model(name, arrays, attributes, *, outputs=("answer",), opset=OPSET) -> onnx.ModelProto:
    """One node; the first array comes in, the file holds the others."""
    names = ["" if array is None else f"input{place}" for place, array in enumerate(arrays)]
    held = [
        numpy_helper.from_array(np.asarray(array), label)
        for label, array in zip(names[1:], arrays[1:], strict=True)
        if array is not None
    ]
    graph = helper.make_graph(
        [helper.make_node(name, names, list(outputs), **attributes)],
        "one",
        [helper.make_tensor_value_info("input0", TensorProto.FLOAT, arrays[0].shape)],
        [
            helper.make_tensor_value_info(output, TensorProto.FLOAT, list("abcd"))
            for output in outputs
        ],
        held,
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)], ir_version=10)


@pytest.mark.parametrize(
    ("name", "arrays", "attributes"), CASES, ids=[f"{n}-{i}" for i, (n, *_) in enumerate(CASES)]
)
def test_an_operator_computes_what_the_reference_does(name, arrays, attributes):
    wanted = ReferenceEvaluator(model(name, arrays, attributes)).run(None, {"input0": arrays[0]})[0]
    inputs = [None if array is None else torch.tensor(array) for array in arrays]
    found = OPERATORS[name](attributes)(*inputs)
    assert tuple(found.shape) == wanted.shape
    np.testing.assert_allclose(found.numpy(), wanted, rtol=2e-5, atol=2e-6)


def test_every_operator_is_tried():
    assert {name for name, *_ in CASES} | ELSEWHERE == set(OPERATORS)


def test_parts_of_a_tensor_are_cut_by_sizes_and_by_their_number():
    for arrays, attributes in [
        ([X, whole(1, 3)], {"axis": 1}),
        ([X], {"axis": 2, "num_outputs": 2}),
    ]:
        names = ("first", "second")
        wanted = ReferenceEvaluator(model("Split", arrays, attributes, outputs=names))
        found = OPERATORS["Split"](attributes)(*map(torch.tensor, arrays))
        for one, other in zip(found, wanted.run(None, {"input0": X}), strict=True):
            assert np.array_equal(one.numpy(), other)


def test_tensors_that_an_operator_makes_of_nothing():
    assert OPERATORS["Constant"]({"value_floats": [1.0, 2.0]})().tolist() == [1, 2]
    assert OPERATORS["Constant"]({"value": torch.ones(3)})().tolist() == [1, 1, 1]
    filled = OPERATORS["ConstantOfShape"]({"value": torch.tensor([7])})(torch.tensor([2, 3]))
    assert filled.tolist() == [[7] * 3] * 2
    ends = [torch.tensor(value) for value in (1, 7, 2)]
    assert OPERATORS["Range"]({})(*ends).tolist() == [1, 3, 5]


def test_casts_keep_floats_as_they_are_and_swish_has_a_slope():
    numbers = torch.tensor([1.75, -2.0])
    assert OPERATORS["Cast"]({"to": TensorProto.INT64})(numbers).tolist() == [1, -2]
    assert OPERATORS["Cast"]({"to": TensorProto.FLOAT16})(numbers).dtype == torch.float32
    values = numbers.double().numpy()
    for alpha in (1.0, 1.702):
        found = OPERATORS["Swish"]({"alpha": alpha})(numbers).numpy()
        np.testing.assert_allclose(found, values / (1 + np.exp(-alpha * values)), rtol=1e-6)


@pytest.mark.parametrize(
    ("name", "arrays", "attributes", "why"),
    [
        ("Resize", [X, None, np.ones(4, dtype=np.float32)], {"mode": "cubic"}, "Resize by cubic"),
        ("ConvTranspose", [X, normal(4, 3, 2, 2)], {"pads": [0, 0, 1, 1]}, "different borders"),
    ],
)
def test_what_would_be_computed_otherwise_is_refused_when_the_file_is_read(
    tmp_path, name, arrays, attributes, why
):
    path = tmp_path / "net.onnx"
    onnx.save(model(name, arrays, attributes), path)
    with pytest.raises(CheckpointError, match=f"The operator {name}") as caught:
        read(path)
    assert why in caught.value.why
