"""One forward as the list of its calls, to be made again with other numbers.

A trace calls every module, asks of every call what it means and copies what it reads. Played, a
tape makes the same calls of the framework in the same order, with another photo, with weights that
stand in for learned ones, with outputs that are changed on their way: nothing is copied, nobody's
module is called, nothing is attached. What comes out is, bit for bit, what a whole trace of a
module with those numbers gives; what each layer is stays known.

That holds where nothing but tensors goes from one call to the next. So `taped` answers None where

    a number left the tensors     if x.mean() > 1, .item(), .numpy()
    a call reads a tensor that no call made and that the module does not hold
    the forward draws random numbers, or writes into what the module holds
    the tape, played with the same photo, gives any number of the trace otherwise

A tape holds the module's own parameters and buffers. It is of use as long as the module's code and
settings stay as they are; where its numbers were written to since, `is_current` says so.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from types import EllipsisType, NoneType
from typing import cast

import numpy as np
import torch
from jaxtyping import Float32, UInt8
from torch import Tensor, nn

from seethrough.explain.graph import Graph, Node, bare, version
from seethrough.explain.operations.softmax import Softmax
from seethrough.explain.recognition.layout import turned
from seethrough.explain.recording import Argument, Call, ModuleCall, tensors_in
from seethrough.explain.trace import Recorded, probabilities_of, record

Array = Float32[np.ndarray, "..."]
Hook = Callable[[tuple[Argument, ...], Argument], None]
"""Is handed what a module read and what it returned, and may write into that."""

_CONSTANTS = (
    *(bool, int, float, complex, str, bytes, type, NoneType, EllipsisType),
    *(torch.dtype, torch.device, torch.layout, torch.memory_format, torch.Size),
)
# What these tell of a tensor does not depend on its numbers, and they change nothing.
_ABOUT_SHAPES = {
    *("__get__", "__len__", "dim", "ndimension", "size", "stride", "numel", "nelement"),
    *("element_size", "is_contiguous", "is_floating_point", "is_complex", "is_inference", "type"),
    *("get_device", "storage_offset", "_set_grad_enabled"),
}


@dataclass(frozen=True, slots=True)
class _Made:
    """A tensor that the photo or a call made, by its number."""

    index: int


@dataclass(frozen=True, slots=True)
class _Held:
    """A parameter or buffer of the module, by its number."""

    index: int


@dataclass(frozen=True, slots=True)
class _Called:
    """A function of the framework, how it is called, and the numbers of the tensors it makes."""

    function: Callable[..., Argument]
    arguments: tuple[Argument, ...]
    keywords: Mapping[str, Argument]
    makes: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class _Seen:
    """The output of a layer, as it is at this moment."""

    layer: int
    tensor: _Made
    is_last: bool  # it has the channels as its last axis


@dataclass(frozen=True, slots=True)
class _Left:
    """A module returned."""

    path: str
    inputs: tuple[Argument, ...]
    output: Argument


_Step = _Called | _Seen | _Left


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Played:
    """What a tape gave."""

    outputs: tuple[Array, ...]  # of each layer
    logits: Float32[np.ndarray, " k"]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Tape:
    """The calls of one forward."""

    layers: tuple[str, ...]
    held: tuple[Tensor, ...]
    names: Mapping[str, int]  # of the learned ones
    versions: tuple[int, ...]
    paths: frozenset[str]  # of the modules that a hook can be given for
    steps: tuple[_Step, ...]
    made: int
    logits: int  # the layer that they are the output of
    has_own_softmax: bool  # the last layer is ours, and no call
    place: tuple[torch.device, torch.dtype]

    @property
    def is_current(self) -> bool:
        """Whether nothing was written into the module's numbers since."""
        return _versions(self.held) == self.versions

    def play(
        self,
        image: UInt8[np.ndarray, "h w 3"],
        weights: Mapping[str, Tensor],
        hooks: Mapping[str, Hook],
    ) -> Played:
        """Every layer's output for a photo of the same size.

        `weights` stand in for parameters of these names; each hook is called where the module of
        that path returns.
        """
        held = list(self.held)
        for name, tensor in weights.items():
            held[self.names[name]] = tensor
        made: list[Argument] = [None] * self.made
        pixels = np.ascontiguousarray(image.transpose(2, 0, 1), dtype=np.float32)
        outputs: list[Array] = [pixels] * len(self.layers)
        with torch.inference_mode(mode=False), torch.no_grad():
            made[0] = torch.tensor(pixels)[None].to(*self.place)
            for step in self.steps:
                if isinstance(step, _Called):
                    arguments = [_filled(item, made, held) for item in step.arguments]
                    keywords = {k: _filled(v, made, held) for k, v in step.keywords.items()}
                    result = step.function(*arguments, **keywords)
                    if isinstance(result, Tensor):
                        made[step.makes[0]] = result
                    else:
                        for index, tensor in zip(step.makes, tensors_in(result), strict=True):
                            made[index] = tensor
                elif isinstance(step, _Seen):
                    tensor = cast(Tensor, made[step.tensor.index])
                    outputs[step.layer] = bare(turned(tensor) if step.is_last else tensor)
                elif step.path in hooks:
                    inputs = tuple(_filled(item, made, held) for item in step.inputs)
                    hooks[step.path](inputs, _filled(step.output, made, held))
        logits = outputs[self.logits]
        if self.has_own_softmax:
            outputs[-1] = probabilities_of(logits)
        return Played(outputs=tuple(outputs), logits=logits)


def taped(
    module: nn.Module, image: UInt8[np.ndarray, "h w 3"], classes: Sequence[str] = ()
) -> Tape | None:
    """The tape of a module's forward, where it can be played."""
    module = getattr(module, "_orig_mod", module)  # what torch.compile wraps
    tapers: list[_Taper] = []

    def watch(graph: Graph) -> "_Taper":
        tapers.append(_Taper(graph, module))
        return tapers[-1]

    held = (*module.parameters(), *module.buffers())
    versions = _versions(held)
    recorded = record(module, image, classes, watch=watch)
    (taper,) = tapers
    tape = taper.tape(recorded, versions) if _versions(held) == versions else None
    if tape is None:
        return None
    again = tape.play(image, {}, {}).outputs
    seen = [layer.output for layer in recorded.trace.layers]
    return tape if all(map(_is_same, seen, again)) else None


class _Taper:
    """Listens beside the graph, and tells it everything that it hears."""

    def __init__(self, graph: Graph, module: nn.Module) -> None:
        self._graph = graph
        names = dict(module.named_parameters())
        self._held = [*names.values(), *module.buffers()]
        self._names = {name: index for index, name in enumerate(names)}
        self._references: dict[int, _Made | _Held] = {
            id(tensor): _Held(index) for index, tensor in enumerate(self._held)
        }
        self._alive: list[Tensor] = []  # else another tensor might get the same id
        self._steps: list[_Called | _Left | tuple[Node, _Made]] = []
        self._looked = 0
        self._paths: set[str] = set()
        self._random: Tensor | None = None  # the state of the generator, while nobody drew from it
        self._is_whole = True

    # ---- as a listener

    def start(self, tensor: Tensor) -> None:
        """This tensor holds the photo."""
        self._graph.start(tensor)
        self._make(tensor)
        with torch._C.DisableTorchFunction():
            self._random = torch.get_rng_state()

    def before(self, tensors: Sequence[Tensor], module: ModuleCall) -> None:
        """What a call is about to read may have been written to since."""
        self._graph.before(tensors, module)
        self._look()

    def after(self, call: Call) -> None:
        """Write the call down."""
        if self._is_whole and self._alive:
            self._is_whole = self._noted(call)
        self._graph.after(call)
        self._look()

    def left(self, call: ModuleCall, inputs: Argument, output: Argument) -> None:
        """Here a hook may be called."""
        positional = inputs[0] if isinstance(inputs, tuple) and inputs else ()
        try:
            given = self._written(positional)
            returned = self._written(output)
        except _CannotBeWritten:
            pass  # then no hook can be given for it
        else:
            if isinstance(given, tuple) and isinstance(returned, _Made):
                self._steps.append(_Left(call.path, given, returned))
                self._paths.add(call.path)
        self._graph.left(call, inputs, output)
        self._look()
        if self._random is not None and not torch.equal(self._random, torch.get_rng_state()):
            self._is_whole = False

    # ---- what is written down

    def _look(self) -> None:
        """The layers that the graph has entered since."""
        for node, tensor in self._graph.entered[self._looked :]:
            reference = self._references.get(id(tensor))
            if isinstance(reference, _Made):
                self._steps.append((node, reference))
        self._looked = len(self._graph.entered)

    def _noted(self, call: Call) -> bool:
        tensors = list(tensors_in(call.result))
        if not tensors and call.name in _ABOUT_SHAPES:
            return True
        if not tensors and call.name != "__setitem__":
            return False
        try:
            arguments = tuple(self._written(item) for item in call.arguments)
            keywords = {name: self._written(item) for name, item in call.keywords.items()}
        except _CannotBeWritten:
            return False
        makes = tuple(self._make(tensor) for tensor in tensors)
        self._steps.append(_Called(call.function, arguments, keywords, makes))
        return True

    def _make(self, tensor: Tensor) -> int:
        index = len(self._alive)
        self._alive.append(tensor)
        self._references[id(tensor)] = _Made(index)
        return index

    def _written(self, value: Argument) -> Argument:
        """With references in the place of tensors, all the way down."""
        if isinstance(value, Tensor):
            if id(value) not in self._references:
                raise _CannotBeWritten
            return self._references[id(value)]
        if isinstance(value, _CONSTANTS):
            return value
        if isinstance(value, slice):
            bounds = (value.start, value.stop, value.step)
            if not all(isinstance(bound, int | NoneType) for bound in bounds):
                raise _CannotBeWritten
            return value
        if type(value) is list:
            return [self._written(item) for item in value]
        if type(value) is tuple:
            return tuple(self._written(item) for item in value)
        raise _CannotBeWritten

    def tape(self, recorded: Recorded, versions: tuple[int, ...]) -> Tape | None:
        """What was written down, for the layers that the trace has; None where that is not all."""
        if not self._is_whole:
            return None
        numbers = {id(node): index for index, node in enumerate(recorded.nodes)}
        steps: list[_Step] = []
        found: set[int] = set()
        for step in self._steps:
            if not isinstance(step, tuple):
                steps.append(step)
            elif id(step[0]) in numbers:
                layer = numbers[id(step[0])]
                found.add(layer)
                steps.append(_Seen(layer, step[1], step[0].is_last))
        last = len(recorded.nodes) - 1
        has_own_softmax = last not in found and isinstance(recorded.nodes[-1].operation, Softmax)
        if len(found) + has_own_softmax < len(recorded.nodes):
            return None
        return Tape(
            layers=tuple(layer.name for layer in recorded.trace.layers),
            held=tuple(self._held),
            names=self._names,
            versions=versions,
            paths=frozenset(self._paths),
            steps=tuple(steps),
            made=len(self._alive),
            logits=numbers[id(recorded.logits)],
            has_own_softmax=has_own_softmax,
            place=(recorded.photo.device, recorded.photo.dtype),
        )


class _CannotBeWritten(Exception):  # noqa: N818  caught where it is raised
    """A value that is neither a constant nor a tensor whose origin is known."""


def _filled(value: Argument, made: Sequence[Argument], held: Sequence[Tensor]) -> Argument:
    if isinstance(value, _Made):
        return made[value.index]
    if isinstance(value, _Held):
        return held[value.index]
    if type(value) is list:
        return [_filled(item, made, held) for item in value]
    if type(value) is tuple:
        return tuple(_filled(item, made, held) for item in value)
    return value


def _is_same(one: Array, other: Array) -> bool:
    return one.shape == other.shape and one.tobytes() == other.tobytes()


def _versions(held: Sequence[Tensor]) -> tuple[int, ...]:
    return tuple(map(version, held))
