"""From a stream of calls to layers: which activation came out of what, and what it is called.

A layer is one operation on activations. It carries its module's path if it is what that module
returns (features.0, conv1), else the path of the module whose forward called it and its kind
(block.relu, add); a second use of the name is name:2. Numbers that merely move (views, transposes)
are followed number by number; a view of unusual rank in between is not a layer of its own.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import torch
from jaxtyping import Float32, Int64
from torch import Tensor, nn

from seethrough.explain.operations.activation import Activation
from seethrough.explain.operations.affine import Affine
from seethrough.explain.operations.arithmetic import Map, Operation
from seethrough.explain.operations.dense import Dense
from seethrough.explain.operations.dropout import Dropout
from seethrough.explain.operations.normalisation import Normalisation
from seethrough.explain.operations.rearrangement import Rearrangement
from seethrough.explain.operations.unknown import Unknown
from seethrough.explain.precision import FLOAT32, Precision, precision_of
from seethrough.explain.recognition.layout import channels_last, recognise_turned, turned
from seethrough.explain.recognition.question import Question, Recognised, map_shape, values
from seethrough.explain.recognition.table import recognise
from seethrough.explain.recording import Argument, Call, ModuleCall, tensors_in
from seethrough.model.build import Normalise

_SAME = {
    *("to", "float", "half", "bfloat16", "double", "type", "type_as", "cpu", "contiguous"),
    *("clone", "detach", "alias", "requires_grad", "__get__"),
}
_MOVES = {
    *("view", "reshape", "flatten", "unflatten", "permute", "transpose", "swapaxes", "movedim"),
    *("squeeze", "unsqueeze", "chunk", "split", "tensor_split", "narrow", "select", "unbind"),
    *("__getitem__", "pad", "channel_shuffle", "native_channel_shuffle", "pixel_shuffle"),
    *("pixel_unshuffle", "flip", "roll", "expand", "expand_as", "view_as", "reshape_as", "repeat"),
    *("repeat_interleave", "interpolate", "upsample", "t", "index_select"),
}


@dataclass(slots=True, eq=False)
class Node:
    """One layer while the graph grows; `reads` are other nodes, `None` is the photo."""

    operation: Operation
    reads: tuple["Node | None", ...]
    output: Float32[np.ndarray, "..."]  # without the batch axis
    module: ModuleCall
    word: str  # its kind, or the name of the function where it is unknown
    is_module: bool = False  # stands for the whole module
    name: str = ""
    tensor: Tensor | None = None  # with gradients: what holds the output
    gradient: Tensor | None = None  # with gradients: ∂loss/∂output, once it went backwards
    learned: Mapping[str, Tensor] = field(default_factory=dict)  # behind the parameters
    is_turned: bool = False  # the weight's tensor, against the operation's
    is_last: bool = False  # the tensor has the channels as its last axis
    precision: Precision = FLOAT32  # of the tensor
    given: int = 0  # learned numbers that a function was given, where it is not known

    @property
    def owned(self) -> int:
        """Learned numbers of a layer that is not known, each once."""
        if self.is_module or self.module.layers == 1:
            return sum(each.numel() for each in self.module.module.parameters())
        return self.given

    @property
    def map(self) -> Map:
        """The output as a map; a vector is a map of single cells."""
        return self.output if self.output.ndim == 3 else self.output.reshape(-1, 1, 1)


@dataclass(frozen=True, slots=True, eq=False)
class _Origin:
    """Where a tensor's numbers stand: all of a node's output, or some of its cells, moved."""

    tensor: Tensor
    version: int
    node: Node | None
    index: Int64[np.ndarray, "..."] | None = None
    fill: float = 0.0
    is_last: bool = False  # all of them, with the channels as the last axis


@dataclass(slots=True)
class Graph:
    """Listens to one forward; `nodes` are its layers in the order in which they were computed."""

    photo: Map
    nodes: list[Node] = field(default_factory=list)
    entered: list[tuple[Node, Tensor]] = field(default_factory=list)  # and whose numbers it has
    _origins: dict[int, _Origin] = field(default_factory=dict)
    _before: dict[int, _Origin] = field(default_factory=dict)

    def start(self, tensor: Tensor) -> None:
        """This tensor holds the photo."""
        self._origins[id(tensor)] = _Origin(tensor, version(tensor), None)

    def origin(self, tensor: Tensor) -> _Origin | None:
        """Where its numbers come from; None where that was not seen."""
        found = self._origins.get(id(tensor))
        return found if found is not None and found.version == version(tensor) else None

    # ---- as a listener

    def before(self, tensors: Sequence[Tensor], module: ModuleCall) -> None:
        """Remember what goes in: an in-place call gives the same tensor other numbers."""
        self._before = {}
        for tensor in tensors:
            found = self._origins.get(id(tensor))
            if found is not None and found.version != version(tensor):
                self._box_changed(tensor, found, module)
            origin = self.origin(tensor)
            if origin is not None:
                self._before[id(tensor)] = origin

    def after(self, call: Call) -> None:
        """Enter the layer that a call computed, if it read activations."""
        results = [result for result in tensors_in(call.result) if result.is_floating_point()]
        if not self._before or not results:
            return
        name = call.name
        if name in _SAME and self._is_same(call, results):
            return
        if name in _MOVES and self._moved(call, results):
            return
        if not self._recognised(call, results):
            self._unknown(call, results)

    def left(self, call: ModuleCall, inputs: Argument, output: Argument) -> None:
        """Fold the normalisation into one layer; box what a module computed unseen."""
        if isinstance(call.module, Normalise):
            self._fold_normalisation(call, output)
        for tensor in tensors_in(output):
            found = self._origins.get(id(tensor))
            if found is not None and found.version != version(tensor):
                self._box_changed(tensor, found, call)
        reads = tuple(self.origin(tensor) for tensor in tensors_in(inputs))
        known = tuple(origin.node for origin in reads if origin is not None)
        for tensor in tensors_in(output):
            if known and tensor.is_floating_point() and self.origin(tensor) is None:
                self._box_module(call, known, tensor)

    # ---- layers

    def _enter(self, tensor: Tensor, node: Node) -> None:
        node.precision = precision_of(tensor.dtype)
        self.nodes.append(node)
        self.entered.append((node, tensor))
        if tensor.requires_grad:
            _listen(tensor, node)
        self._keep(tensor, node)
        call: ModuleCall | None = node.module
        while call is not None:
            call.layers += 1
            call = call.above

    def _keep(
        self,
        tensor: Tensor,
        node: Node | None,
        index: Int64[np.ndarray, "..."] | None = None,
        fill: float = 0.0,
        *,
        is_last: bool = False,
    ) -> None:
        origin = _Origin(tensor, version(tensor), node, index, fill, is_last)
        self._origins[id(tensor)] = origin

    def _is_same(self, call: Call, results: Sequence[Tensor]) -> bool:
        (result,) = results
        source = self._before.get(id(call.argument(0, "input")))
        if source is None or not torch.equal(result.float(), source.tensor.float()):
            return False
        self._keep(result, source.node, source.index, source.fill, is_last=source.is_last)
        return True

    def _recognised(self, call: Call, results: Sequence[Tensor]) -> bool:
        origins = self._before.values()
        if len(results) != 1:
            return False
        (result,) = results
        if all(origin.index is None for origin in origins):
            found = recognise(Question(call, result, self._before))
            return found is not None and self._understood(call, result, found, result)
        if not all(origin.is_last for origin in origins):
            return False
        first = {id(origin.tensor): turned(origin.tensor) for origin in origins}
        found = recognise_turned(call, result, first)
        if found is None:
            return False
        back = {id(tensor): self._before[key] for key, tensor in first.items()}
        self._before = back
        return self._understood(call, result, found, turned(result))

    def _understood(self, call: Call, result: Tensor, found: Recognised, upright: Tensor) -> bool:
        shape = map_shape(upright)
        origins = [self._before.get(id(tensor)) for tensor in found.inputs]
        reads = tuple(origin.node for origin in origins if origin is not None)
        overlooked = set(self._before) - {id(tensor) for tensor in found.inputs}
        if shape is None or len(reads) < len(origins) or overlooked:
            return False
        operation = found.operation
        if isinstance(operation, Dense):
            operation = self._placed(operation, reads[0])
        node = Node(operation, reads, bare(upright), call.module, operation.kind)
        node.learned, node.is_turned = found.learned, found.is_turned
        node.is_last = upright is not result
        self._enter(result, node)
        if upright is not result:
            self._keep(result, node, channels_last(shape), is_last=True)
        return True

    def _unknown(self, call: Call, results: Sequence[Tensor]) -> None:
        reads = tuple(dict.fromkeys(origin.node for origin in self._before.values()))
        given = _given(call)
        for result in results:
            operation = Unknown(text=call.name)
            node = Node(operation, reads, bare(result), call.module, call.name, given=given)
            self._enter(result, node)

    def box_answer(self, module: nn.Module, answer: Tensor) -> Node:
        """The whole module as one layer: nothing that it did was seen."""
        return self._box_module(ModuleCall("", module, None), (None,), answer)

    def _box_module(self, call: ModuleCall, reads: tuple[Node | None, ...], output: Tensor) -> Node:
        name = type(call.module).__name__
        node = Node(Unknown(text=name), reads, bare(output), call, name, is_module=True)
        self._enter(output, node)
        return node

    def _box_changed(self, tensor: Tensor, found: _Origin, module: ModuleCall) -> None:
        """Its numbers are no longer those of its layer: something wrote into them."""
        operation = Unknown(text="changed in place")
        self._enter(tensor, Node(operation, (found.node,), bare(tensor), module, "changed"))

    def _placed(self, dense: Dense, below: Node | None) -> Dense:
        """The same layer, told where in a map its inputs stood before they were flattened."""
        while below is not None and isinstance(below.operation, Affine | Activation | Dropout):
            below = below.reads[0]  # number by number: the places stay
        if below is None or not isinstance(below.operation, Rearrangement):
            return dense
        return Dense(weight=dense.weight, bias=dense.bias, places=below.operation.places)

    # ---- numbers that move

    def _moved(self, call: Call, results: Sequence[Tensor]) -> bool:
        if len(self._before) != 1 or call.argument(0, "input") is None:
            return False
        (origin,) = self._before.values()
        moved = self._follow(call, origin)
        if moved is None or [tuple(item.shape) for item in moved] != [r.shape for r in results]:
            return False
        for index, result in zip(moved, results, strict=True):
            self._place(call, result, origin, index)
        return True

    def _follow(self, call: Call, origin: _Origin) -> list[Int64[np.ndarray, "..."]] | None:
        """Send 1, 2, 3, … through the same function; 0 is what it puts in itself."""
        source = origin.tensor
        probe = torch.arange(1, source.numel() + 1, dtype=torch.float64).reshape(source.shape)
        if call.name == "interpolate" and call.argument(3, "mode", "nearest") != "nearest":
            return None
        arguments = [probe if item is source else item for item in call.arguments]
        keywords = {name: probe if item is source else item for name, item in call.keywords.items()}
        if call.name == "pad":
            arguments, keywords = arguments[:3], {**keywords, "value": None}
        results = tensors_in(call.function(*arguments, **keywords))
        local = [item.to(torch.int64).numpy() - 1 for item in results]
        if origin.index is None:
            return local
        flat = np.append(origin.index.ravel(), -1)
        return [flat[item] for item in local]

    def _place(
        self, call: Call, result: Tensor, origin: _Origin, index: Int64[np.ndarray, "..."]
    ) -> None:
        source = self.photo if origin.node is None else origin.node.map
        fill = call.argument(3, "value") if call.name == "pad" else None
        empty = float(fill) if isinstance(fill, int | float) else origin.fill
        shape = map_shape(result)
        last = channels_last((source.shape[0], source.shape[1], source.shape[2]))
        is_last = result.ndim == 4 and source.shape[1:] != (1, 1) and np.array_equal(index, last)
        if shape is None or is_last:
            self._keep(result, origin.node, index, empty, is_last=is_last)
            return
        placed = index.reshape(shape)
        array = bare(result)
        original = self.photo if origin.node is None else origin.node.output
        if array.shape == original.shape and (placed.ravel() == np.arange(placed.size)).all():
            self._keep(result, origin.node)
            return
        kind = "pad" if call.name == "pad" else "rearrange"
        if array.ndim == 1:
            kind = "flatten"
        operation = Rearrangement(
            kind=kind,
            text=kind if kind != "rearrange" else call.name.strip("_"),
            index=placed,
            shape=(source.shape[0], source.shape[1], source.shape[2]),
            fill=empty,
        )
        self._enter(result, Node(operation, (origin.node,), array, call.module, kind))

    def _fold_normalisation(self, call: ModuleCall, output: Argument) -> None:
        steps = [node for node in self.nodes if node.module is call]
        if (
            len(steps) < 2
            or not isinstance(output, Tensor)
            or not isinstance(call.module, Normalise)
        ):
            return
        shares, last = steps[0], steps[-1]
        operation = Normalisation(
            mean=values(call.module.mean), std=values(call.module.std), shares=shares.map
        )
        self.nodes = [node for node in self.nodes if node not in steps]
        node = Node(operation, shares.reads, last.output, call, operation.kind, is_module=True)
        self._enter(output, node)


def _given(call: Call) -> int:
    """Learned numbers among a call's arguments, each once; with gradients they are leaves."""
    tensors = [*tensors_in(call.arguments), *tensors_in(call.keywords)]
    learned = {
        tensor.data_ptr(): tensor.numel()
        for tensor in tensors
        if isinstance(tensor, nn.Parameter) or (tensor.is_leaf and tensor.requires_grad)
    }
    return sum(learned.values())


def _listen(tensor: Tensor, node: Node) -> None:
    """Keep what comes back to a layer; a hook belongs to the numbers of this moment.

    What a later call writes into the same tensor is another layer, with a hook of its own.
    """

    def keep(gradient: Tensor) -> None:
        node.gradient = gradient

    node.tensor = tensor
    tensor.register_hook(keep)  # type: ignore[no-untyped-call]


def bare(tensor: Tensor) -> Float32[np.ndarray, "..."]:
    """Its numbers without the batch axis."""
    array = values(tensor)
    return array[0] if array.ndim > 1 and len(array) == 1 else np.atleast_1d(array)


def version(tensor: Tensor) -> int:
    """Counts what was written into it; tensors made in inference mode do not count."""
    return 0 if tensor.is_inference() else tensor._version
