"""Networks that were not made here: a residual one, one that joins two paths, an ONNX file."""

from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F


class Block(nn.Module):
    """Two convolutions and a path beside them, as in a residual network."""

    def __init__(self, inputs: int, outputs: int, stride: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(inputs, outputs, 3, stride, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(outputs)
        self.conv2 = nn.Conv2d(outputs, outputs, 3, 1, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(outputs)
        self.downsample = nn.Conv2d(inputs, outputs, 1, stride, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        y = F.relu(self.bn1(self.conv1(x)))
        return F.relu(self.bn2(self.conv2(y)) + self.downsample(x))


class Residual(nn.Module):
    """Three classes, 16 px and more."""

    def __init__(self) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(3, 6, 3, 2, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(6)
        self.layer1 = nn.Sequential(Block(6, 6, 1), Block(6, 8, 2))
        self.fc = nn.Linear(8, 3)

    def forward(self, x: Tensor) -> Tensor:
        x = F.relu(self.bn1(self.conv1(x)))
        x = self.layer1(x)
        return self.fc(torch.flatten(F.adaptive_avg_pool2d(x, 1), 1))


class Joining(nn.Module):
    """Down, up again, and joined with what was there before, as in a U-Net."""

    def __init__(self) -> None:
        super().__init__()
        self.down = nn.Conv2d(3, 4, 3, 1, 1)
        self.deep = nn.Conv2d(4, 5, 3, 1, 1)
        self.last = nn.Conv2d(9, 3, 3, 1, 1)

    def forward(self, x: Tensor) -> Tensor:
        wide = F.relu(self.down(x))
        deep = F.relu(self.deep(F.max_pool2d(wide, 2)))
        joined = torch.cat([wide, F.interpolate(deep, scale_factor=2)], 1)
        return self.last(joined).mean((2, 3))


def onnx_file(path: Path, *, px: int, classes: int) -> Path:
    """A convolution, a function, a pooling, a dense layer, softmax: as others write it."""
    onnx = pytest.importorskip("onnx")
    helper, floats = onnx.helper, onnx.TensorProto.FLOAT
    rng = np.random.default_rng(7)
    inputs = 4 * (px // 4) ** 2
    shapes = {"w1": (4, 3, 3, 3), "b1": (4,), "w2": (classes, inputs), "b2": (classes,)}
    held = [
        onnx.numpy_helper.from_array(rng.normal(0, 0.3, shape).astype(np.float32), name)
        for name, shape in shapes.items()
    ]
    nodes = [
        helper.make_node("Conv", ["image", "w1", "b1"], ["a"], pads=[1, 1, 1, 1]),
        helper.make_node("Relu", ["a"], ["b"]),
        helper.make_node("MaxPool", ["b"], ["c"], kernel_shape=[4, 4], strides=[4, 4]),
        helper.make_node("Flatten", ["c"], ["d"]),
        helper.make_node("Gemm", ["d", "w2", "b2"], ["e"], transB=1),
        helper.make_node("Softmax", ["e"], ["said"]),
    ]
    image = helper.make_tensor_value_info("image", floats, ["n", 3, px, px])
    said = helper.make_tensor_value_info("said", floats, ["n", classes])
    graph = helper.make_graph(nodes, "someone's", [image], [said], held)
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)]), str(path))
    return path
