"""An ONNX file as a torch module that computes the same and can be looked through.

Every node becomes a small module of its own (conv1, relu1, …) that calls the torch function of its
operator, so a trace shows the file's own graph. Only the file's numbers and its list of operators
are read; it holds no code, and none is run.
"""

import json
import re
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn

from seethrough.errors import CheckpointError, DataError
from seethrough.model.onnx.node import Attributes, Inputs, Operator
from seethrough.model.onnx.operators import OPERATORS

if TYPE_CHECKING:
    import onnx

_SLOTS = {  # what an operator's inputs from the file are called
    "Conv": ("", "weight", "bias"),
    "Gemm": ("", "weight", "bias"),
    "MatMul": ("first", "weight"),
    "BatchNormalization": ("", "weight", "bias", "running_mean", "running_var"),
    "LayerNormalization": ("", "weight", "bias"),
    "GroupNormalization": ("", "weight", "bias"),
    "InstanceNormalization": ("", "weight", "bias"),
    "PRelu": ("", "weight"),
}
_WORDS = {"BatchNormalization": "norm", "Gemm": "dense", "MatMul": "dense", "MaxPool": "pool"}
_INTEGERS = (torch.int32, torch.int64, torch.bool)


# What our own files say of themselves.
INPUT, PIXELS = "seethrough.input", "pixels"
IMAGE_PX, CLASSES = "seethrough.image_px", "seethrough.classes"


@dataclass(frozen=True, slots=True, kw_only=True)
class OnnxFile:
    """What is in a file: the network, and what it says of itself."""

    module: nn.Module  # float images n 3 h w in, one row of numbers out
    image_px: int | None  # None: the file leaves it open
    classes: tuple[str, ...]  # names, or numbers where it only says how many; empty: not even that
    takes_pixels: bool  # values 0..255, normalised inside; else 0..1


class Node(nn.Module):
    """One operator with the file's tensors that it reads."""

    def __init__(self, operator: Operator, reads: list[str], writes: list[str]) -> None:
        super().__init__()
        self.operator, self.reads, self.writes = operator, reads, writes
        self.held: dict[int, str] = {}  # place among the inputs: name of the own tensor

    def hold(self, place: int, name: str, tensor: Tensor) -> None:
        """Keep a tensor of the file as this input; numbers that were learned are parameters."""
        self.held[place] = name
        if tensor.is_floating_point() and not name.startswith("running_"):
            self.register_parameter(name, nn.Parameter(tensor))
        else:
            self.register_buffer(name, tensor)

    def forward(self, *inputs: Inputs) -> Tensor | tuple[Tensor, ...]:
        """What it writes, from what it reads."""
        own = [getattr(self, self.held[i]) if i in self.held else x for i, x in enumerate(inputs)]
        return self.operator(*own)


class OnnxNetwork(nn.Module):
    """The nodes in the file's order, which is one in which they can be computed."""

    def __init__(self, source: str, answer: str, *, is_channels_last: bool) -> None:
        super().__init__()
        self.source, self.answer, self.is_channels_last = source, answer, is_channels_last

    def forward(self, images: Tensor) -> Tensor:
        """Float images n 3 h w to one row of numbers for each."""
        values: dict[str, Tensor] = {
            self.source: images.permute(0, 2, 3, 1) if self.is_channels_last else images
        }
        for node in self.children():
            assert isinstance(node, Node)
            found = node(*(values.get(name) for name in node.reads))
            written = found if isinstance(found, tuple) else (found,)
            values.update(zip(node.writes, written, strict=False))
        return values[self.answer]


def read(path: str | Path) -> OnnxFile:
    """The network in an ONNX file.

    Raises CheckpointError for a file that is damaged or has an operator that is not known here,
    DataError where the extra `onnx` is not installed.
    """
    require()
    import onnx
    from google.protobuf.message import DecodeError  # type: ignore[import-untyped]

    try:
        model = onnx.load(str(path))
        onnx.checker.check_model(model)
    except OSError as error:
        raise CheckpointError(
            f"{path} cannot be opened.",
            why=error.strerror or str(error),
            fix="check the path.",
        ) from error
    except (ValueError, onnx.checker.ValidationError, DecodeError) as error:
        raise CheckpointError(
            f"{path} cannot be read as an ONNX file.",
            why=" ".join(str(error).split())[:300],
            fix="export the network again.",
        ) from error
    _refuse_unknown(path, model.graph)
    module, image_px = _network(path, model.graph)
    said = {entry.key: entry.value for entry in model.metadata_props}
    sizes = [size.dim_value for size in model.graph.output[0].type.tensor_type.shape.dim]
    numbers = tuple(str(number) for number in range(sizes[-1] if sizes else 0))
    return OnnxFile(
        module=module.eval(),
        image_px=int(said.get(IMAGE_PX, 0)) or image_px,
        classes=tuple(json.loads(said[CLASSES])) if CLASSES in said else numbers,
        takes_pixels=said.get(INPUT) == PIXELS,
    )


def require() -> None:
    """Raises DataError where the extra `onnx` is not installed."""
    try:
        import onnx  # noqa: F401
    except ImportError as error:
        raise DataError(
            "ONNX files need a library that is not installed.",
            why=str(error),
            fix="pip install 'seethrough[onnx]'",
        ) from error


def _refuse_unknown(path: str | Path, graph: "onnx.GraphProto") -> None:
    unknown = {
        node.op_type
        for node in graph.node
        if node.op_type not in OPERATORS or node.domain not in {"", "ai.onnx"}
    }
    if unknown:
        raise CheckpointError(
            f"{path} has operators that are not known here: {', '.join(sorted(unknown))}.",
            why="a network is only shown where every number of it can be computed.",
            fix="export it in inference mode, without quantisation or own operators.",
        )


def _network(path: str | Path, graph: "onnx.GraphProto") -> tuple[OnnxNetwork, int | None]:
    from onnx import numpy_helper

    tensors = {
        tensor.name: _whole(torch.tensor(numpy_helper.to_array(tensor)))
        for tensor in graph.initializer
    }
    open_inputs = [entry for entry in graph.input if entry.name not in tensors]
    if len(open_inputs) != 1 or not graph.output:
        raise CheckpointError(
            f"{path} takes {len(open_inputs)} inputs.",
            why="a network that looks at images takes one tensor of images.",
            fix="export the part of it that goes from the image to the classes.",
        )
    sizes = [entry.dim_value for entry in open_inputs[0].type.tensor_type.shape.dim]
    is_last = len(sizes) == 4 and sizes[3] == 3 and sizes[1] != 3
    network = OnnxNetwork(open_inputs[0].name, graph.output[0].name, is_channels_last=is_last)
    used: Counter[str] = Counter()
    for proto in graph.node:
        word = _WORDS.get(proto.op_type) or re.sub(r"(?<!^)(?=[A-Z])", "_", proto.op_type).lower()
        used[word] += 1
        try:
            network.add_module(f"{word}{used[word]}", _node(proto, tensors))
        except (KeyError, ValueError) as error:
            raise CheckpointError(
                f"The operator {proto.op_type} {proto.name} of {path} cannot be read.",
                why=f"{error}.",
                fix="export the network without it.",
            ) from error
    rows = sizes[1] if is_last else sizes[2] if len(sizes) == 4 else 0
    return network, rows or None


def _node(proto: "onnx.NodeProto", tensors: dict[str, Tensor]) -> Node:
    node = Node(OPERATORS[proto.op_type](_attributes(proto)), list(proto.input), list(proto.output))
    slots = _SLOTS.get(proto.op_type, ())
    for place, name in enumerate(proto.input):
        if name in tensors:
            own = slots[place] if place < len(slots) and slots[place] else f"input{place}"
            node.hold(place, own, tensors[name])
    return node


def _attributes(proto: "onnx.NodeProto") -> Attributes:
    import onnx

    found = {}
    for entry in proto.attribute:
        value = onnx.helper.get_attribute_value(entry)
        if isinstance(value, onnx.TensorProto):
            value = _whole(torch.tensor(onnx.numpy_helper.to_array(value)))
        found[entry.name] = value.decode() if isinstance(value, bytes) else value
    return found


def _whole(tensor: Tensor) -> Tensor:
    """Floats as float32: halves and doubles are computed like everything else."""
    return tensor.float() if tensor.is_floating_point() else tensor
