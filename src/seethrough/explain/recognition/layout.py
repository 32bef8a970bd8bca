"""Maps that are held as rows, columns, channels for a while (ConvNeXt): the same call, turned.

A call on tensors 1 h w c is put as the call on 1 c h w that computes the same numbers: a dense
layer over the last axis is a 1 × 1 convolution, a constant for each channel is one for each map,
layer normalisation over the last axis is over the channels of a cell. Only such calls are turned.
"""

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
from jaxtyping import Int64
from torch import Tensor

from seethrough.explain.operations.region import Shape
from seethrough.explain.recognition.norms import layer_norm_of_cells
from seethrough.explain.recognition.pointwise import POINTWISE
from seethrough.explain.recognition.question import Question, Recognised, tensors
from seethrough.explain.recognition.table import RECOGNISERS
from seethrough.explain.recording import Argument, Call

_TURNED = {"add", "sub", "mul", "linear", "layer_norm", *POINTWISE} - {"prelu", "dropout2d"}


def channels_last(shape: Shape) -> Int64[np.ndarray, "1 h w c"]:
    """Where the numbers of a map stand when its channels come last."""
    return np.arange(np.prod(shape), dtype=np.int64).reshape(shape).transpose(1, 2, 0)[None]


def turned(tensor: Tensor) -> Tensor:
    """1 h w c as 1 c h w."""
    return tensor.permute(0, 3, 1, 2)


def recognise_turned(call: Call, result: Tensor, first: Mapping[int, Tensor]) -> Recognised | None:
    """The operation behind a call on such maps; `first` holds each activation, turned."""
    if call.name not in _TURNED or result.ndim != 4:
        return None
    before = [*call.arguments, *call.keywords.values()]
    after = [_turned_argument(call.name, item, first) for item in before]
    arguments = after[: len(call.arguments)]
    keywords = dict(zip(call.keywords, after[len(call.arguments) :], strict=True))
    same = Call(
        function=call.function,
        arguments=arguments,
        keywords=keywords,
        result=call.result,
        module=call.module,
    )
    asked = Question(same, turned(result), {id(tensor) for tensor in first.values()})
    name = "conv2d" if call.name == "linear" else call.name
    found = layer_norm_of_cells(asked) if name == "layer_norm" else RECOGNISERS[name](asked)
    if found is None:
        return None
    behind = {id(new): old for new, old in zip(after, before, strict=True)}
    learned = {name: behind[id(tensor)] for name, tensor in found.learned.items()}
    return replace(found, learned=tensors(**learned))


def _turned_argument(name: str, item: Argument, first: Mapping[int, Tensor]) -> Argument:
    if not isinstance(item, Tensor):
        return item
    if id(item) in first:
        return first[id(item)]
    if name == "linear" and item.ndim == 2:
        return item[:, :, None, None]
    if name in {"linear", "layer_norm"} or item.ndim == 0:
        return item
    return turned(item) if item.ndim == 4 else item.reshape(*item.shape, 1, 1)
