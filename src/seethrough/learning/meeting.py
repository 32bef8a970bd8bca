"""What one module met in a batch: what it read and what came back to it, photo by photo.

    conv    pull[n] = Σ over p, q of  x[n, c, r(p), r(q)] · d[n, u, p, q]       of weight u c i j
    dense   pull[n] = x[n, i] · d[n, u]                                         of weight u i
    norm    pull[n] = Σ over p, q of  (x − mean)/√(variance + ε) · d            of a scale
    bias    pull[n] = Σ over p, q of  d[n, u, p, q]

d is the gradient of the batch's loss, so pulls add up to the weight's gradient: a photo's pull is
what the gradient would be for a copy of the weight that only this photo meets. Mean and variance
are the batch's, in which all photos take part. Everything is float64, from the framework's numbers.
Of other modules the framework itself goes back, in float64, for one photo after the other, where
photos do not meet inside it; else LayerError.
"""

import copy
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

import numpy as np
import torch
from jaxtyping import Float64
from torch import Tensor, nn
from torch.nn import functional

from seethrough.errors import LayerError

Index = tuple[int, ...]
_ALIKE = 1e-3  # share of the largest output by which float32 and float64 may differ


@dataclass(slots=True, eq=False)
class _Use:
    """One forward of the module."""

    start: int  # of its first photo, since recording began
    inputs: tuple[Tensor, ...]
    output: Tensor
    gradient: Tensor | None = None


@dataclass(slots=True, eq=False)
class Meeting:
    """All uses of a module while a batch was learned from."""

    name: str
    module: nn.Module  # as it was then
    uses: list[_Use] = field(default_factory=list)
    seen: int = 0  # photos

    def pulls(self, parameter: str, index: Index, photos: int) -> Float64[np.ndarray, " n"]:
        """What each of the photos adds to the gradient of one number of the parameter."""
        found, first = np.zeros(photos), self.seen - photos  # parts that did not fit came before
        for use in self.uses:
            if use.start < first or use.gradient is None:
                continue
            start = use.start - first
            found[start : start + len(use.gradient)] += self._of(use, parameter, index)
        return found

    def _of(self, use: _Use, parameter: str, index: Index) -> Float64[np.ndarray, " n"]:
        back = use.gradient
        assert back is not None
        rule = _RULES.get(type(self.module))
        if rule is None or len(use.inputs) != 1:
            return self._by_framework(use, back, parameter, index)
        if parameter == "bias":
            axis = -1 if isinstance(self.module, nn.Linear) else 1
            return _sums(back.select(axis, index[0]))
        return rule(self.module, use.inputs[0], back, index)

    def _by_framework(
        self, use: _Use, back: Tensor, parameter: str, index: Index
    ) -> Float64[np.ndarray, " n"]:
        """Photo by photo, in float64; only where a photo alone gives the same output."""
        own = copy.deepcopy(self.module).double()
        chosen = own.get_parameter(parameter).requires_grad_()
        pulls = []
        for place in range(len(back)):
            with torch.enable_grad():
                alone = own(*(_one(each, place) for each in use.inputs))
                (slope,) = torch.autograd.grad(alone, [chosen], _one(back, place))
            far = (alone.detach() - use.output[place : place + 1]).abs().max()
            if not far <= _ALIKE * use.output.abs().max().clamp(min=1e-6):
                raise _together(self.name)
            pulls.append(float(slope[index]))
        return np.array(pulls)


@contextmanager
def met(network: nn.Module, name: str) -> Iterator[Meeting]:
    """What the module of this name meets inside."""
    module = network.get_submodule(name)
    meeting = Meeting(name, copy.deepcopy(module))
    handles = [
        network.register_forward_pre_hook(_counting(meeting)),
        module.register_forward_hook(_keeping(meeting)),
    ]
    try:
        yield meeting
    finally:
        for handle in handles:
            handle.remove()


def _counting(meeting: Meeting) -> Callable[[nn.Module, tuple[Tensor, ...]], None]:
    def count(_: nn.Module, inputs: tuple[Tensor, ...]) -> None:
        meeting.seen += len(inputs[0])

    return count


def _keeping(meeting: Meeting) -> Callable[[nn.Module, Sequence[object], object], None]:
    def keep(_: nn.Module, inputs: Sequence[object], output: object) -> None:
        tensors = tuple(each.detach() for each in inputs if isinstance(each, Tensor))
        if not isinstance(output, Tensor) or len(tensors) != len(inputs) or not tensors:
            raise _together(meeting.name)
        use = _Use(meeting.seen - len(output), tensors, output.detach().clone())
        meeting.uses.append(use)

        def back(gradient: Tensor) -> None:
            use.gradient = gradient.detach()

        if output.requires_grad:
            output.register_hook(back)  # type: ignore[no-untyped-call]

    return keep


def _conv(module: nn.Module, x: Tensor, back: Tensor, index: Index) -> Float64[np.ndarray, " n"]:
    assert isinstance(module, nn.Conv2d)
    unit, channel, row, column = index
    group = unit // (module.out_channels // module.groups)
    channel += group * (module.in_channels // module.groups)
    mode = "constant" if module.padding_mode == "zeros" else module.padding_mode
    wide = functional.pad(
        x[:, channel : channel + 1], list(module._reversed_padding_repeated_twice), mode=mode
    )[:, 0]
    rows, columns = back.shape[2:]
    top, left = row * module.dilation[0], column * module.dilation[1]
    down, across = module.stride[0], module.stride[1]
    tap = wide[:, top : top + down * (rows - 1) + 1 : down]
    tap = tap[:, :, left : left + across * (columns - 1) + 1 : across]
    return _sums(tap.double() * back[:, unit].double())


def _dense(module: nn.Module, x: Tensor, back: Tensor, index: Index) -> Float64[np.ndarray, " n"]:
    unit, channel = index
    return _sums(x[..., channel].double() * back[..., unit].double())


def _norm(module: nn.Module, x: Tensor, back: Tensor, index: Index) -> Float64[np.ndarray, " n"]:
    assert isinstance(module, nn.modules.batchnorm._BatchNorm)
    (channel,) = index
    own = x[:, channel].double()
    if module.training or module.running_mean is None or module.running_var is None:
        mean, variance = own.mean(), own.var(unbiased=False)
    else:
        mean = module.running_mean[channel].double()
        variance = module.running_var[channel].double()
    return _sums((own - mean) / (variance + module.eps).sqrt() * back[:, channel].double())


def _one(values: Tensor, place: int) -> Tensor:
    """Of one photo; in plain order, because torch 2.13 crashes in norms over other ones."""
    return values[place : place + 1].double().contiguous()


def _sums(values: Tensor) -> Float64[np.ndarray, " n"]:
    found: np.ndarray = values.double().reshape(len(values), -1).sum(1).numpy()
    return found


_RULES: dict[type[nn.Module], Callable[[nn.Module, Tensor, Tensor, Index], np.ndarray]] = {
    nn.Conv2d: _conv,
    nn.Linear: _dense,
    nn.BatchNorm1d: _norm,
    nn.BatchNorm2d: _norm,
}


def _together(name: str) -> LayerError:
    return LayerError(
        f"The gradient of {name or 'this network'} cannot be divided among the photos.",
        why="photos of a batch meet inside it, or it reads more than one batch of numbers.",
        fix="look at the gradient of the whole batch, or at a layer of another kind.",
    )
