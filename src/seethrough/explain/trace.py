"""One photo through one module: every layer's input and output, and what each layer is.

`trace` takes any `torch.nn.Module` that turns pixel values (float32 n 3 h w, 0..255) into one row
of logits; ours begin with a layer that normalises, `seethrough.wrap` puts one before a stranger's.
The module runs once, as it is, in evaluation mode; afterwards nothing is attached to it, and every
flag is as it was. If it ends in logits, a layer `softmax` follows that is ours; where it answers
for several labels, its own sigmoid is the last layer (`model.several`).

Arrays are copies in float32: maps c h w, vectors n. What is not known is a layer with values and
`known=False`. Raises LayerError for a layer that does not exist, ShapeError where the module's
answer is not one number for each class.
"""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

import numpy as np
import torch
from jaxtyping import Float32, UInt8
from torch import Tensor, nn

from seethrough.errors import LayerError, ShapeError
from seethrough.explain.derivation import equation
from seethrough.explain.equation import Equation
from seethrough.explain.graph import Graph, Node
from seethrough.explain.layer import PHOTO, Layers, TracedLayer, field_of_view
from seethrough.explain.operations.convolution import Convolution
from seethrough.explain.operations.softmax import Softmax
from seethrough.explain.place import cell_of
from seethrough.explain.recording import Listener, ModuleCall, looking, tensors_in
from seethrough.explain.sight import sees
from seethrough.model.several import NAME as CLOSING
from seethrough.model.several import is_several

if TYPE_CHECKING:
    from seethrough.explain.notebook.display import Bundle
    from seethrough.explain.notebook.widget import Widget


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False)
class Trace:
    """Every layer of one forward, in the order in which they were computed."""

    recorded: Layers
    logits: Float32[np.ndarray, " k"]
    probabilities: Float32[np.ndarray, " k"]
    classes: tuple[str, ...]

    @property
    def photo(self) -> Float32[np.ndarray, "c h w"]:
        """Pixel values, as the module got them."""
        return self.recorded.photo

    @property
    def layers(self) -> tuple[TracedLayer, ...]:
        """In the order in which they were computed."""
        return self.recorded.all

    @property
    def is_several(self) -> bool:
        """Whether each probability is one of a label on its own, and they need not add up to 1."""
        return self.layers[-1].kind == CLOSING

    def layer(self, name: str) -> TracedLayer:
        """The layer of this name."""
        return self.recorded.layer(name)

    def inputs(self, name: str) -> tuple[Float32[np.ndarray, "..."], ...]:
        """The outputs that a layer reads, in its order; the photo where it reads that."""
        return tuple(
            self.photo if below == PHOTO else self.layer(below).output
            for below in self.layer(name).inputs
        )

    def equation(
        self, layer: str, unit: int, row: int | None = None, column: int | None = None
    ) -> Equation:
        """The arithmetic behind one cell; see `equation.Equation`."""
        return equation(self.recorded, layer, unit, row, column)

    def sees(
        self, layer: str, row: int | None = None, column: int | None = None, unit: int | None = None
    ) -> tuple[int, int, int, int]:
        """Top, left, bottom, right of the pixels that a cell depends on; half open, clipped."""
        return sees(self.recorded, layer, row, column, unit)

    def partials(self, layer: str, unit: int) -> Float32[np.ndarray, "c h w"]:
        """For a unit of a convolution: what each channel it reads adds to its map, without bias."""
        found = self.layer(layer)
        if not isinstance(found.operation, Convolution):
            raise LayerError(
                f"{layer} has no partial maps.",
                why=f"it is {found.kind}; only a convolution adds up one map for each channel.",
                fix="choose a convolution, or ask for the equation of a cell.",
            )
        cell_of(found, unit, 0, 0)
        below = self.recorded.maps_below(layer)[0]
        return found.operation.partials(below, unit, found.map_shape[1:])

    def __repr__(self) -> str:
        best = int(self.probabilities.argmax())
        says = f"{self.classes[best]!r}, probability {self.probabilities[best]:.4f}"
        if self.is_several:
            named = zip(self.classes, self.probabilities, strict=True)
            says = ", ".join(f"{name!r} {value:.4f}" for name, value in named)
        return f"Trace({len(self.layers)} layers, {says})"

    def widget(self) -> "Widget":
        """A page to click in, for a notebook. Raises DataError without the extra `notebook`."""
        from seethrough.explain.notebook.display import widget

        return widget(self)

    def _repr_mimebundle_(self, include: object = None, exclude: object = None) -> "Bundle":
        """The page to click in, where a notebook can show it; else nothing, and the HTML counts."""
        from seethrough.explain.notebook.display import bundle

        return bundle(self)

    def _repr_html_(self) -> str:
        """What a notebook shows where it cannot show the page."""
        from seethrough.explain.notebook.still import html

        return html(self)

    def __str__(self) -> str:
        names = max(len(layer.name) for layer in self.layers)
        texts = max(len(layer.text) for layer in self.layers)
        return "\n".join(layer.line(names, texts) for layer in self.layers)


def trace(
    module: nn.Module, image: UInt8[np.ndarray, "h w 3"], *, classes: Sequence[str] = ()
) -> Trace:
    """Run the module once on one image and keep what every layer read and wrote."""
    return record(module, image, classes).trace


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Recorded:
    """A trace, and what it was read from: needed to go backwards."""

    trace: Trace
    nodes: tuple[Node, ...]  # one for each layer, in their order
    logits: Node
    photo: Tensor  # 1 c h w; with gradients a leaf


class Recorder(Listener, Protocol):
    """Listens to one forward."""

    def start(self, tensor: Tensor) -> None:
        """This tensor holds the photo."""


def record(
    module: nn.Module,
    image: UInt8[np.ndarray, "h w 3"],
    classes: Sequence[str] = (),
    *,
    with_gradients: bool = False,
    watch: Callable[[Graph], Recorder] | None = None,
) -> Recorded:
    """What `trace` does; with gradients the tensors stay joined, ready to go backwards once.

    `watch` makes of the graph who listens in its place, and tells it everything.
    """
    module = getattr(module, "_orig_mod", module)  # what torch.compile wraps
    pixels = np.ascontiguousarray(image.transpose(2, 0, 1), dtype=np.float32)
    graph = Graph(pixels)
    photo = torch.tensor(pixels)[None].to(*_place(module))
    listener = graph if watch is None else watch(graph)
    with looking(module, listener, with_gradients=with_gradients):
        batch = photo.requires_grad_().clone() if with_gradients else photo
        listener.start(batch)
        answer = module(batch)
    last = _logits(graph, module, answer)
    nodes, probabilities = _with_softmax(graph, last, is_closed=is_several(module))
    scores = probabilities.reads[0]
    assert scores is not None
    _name(nodes)
    layers = _layers(nodes, pixels)
    if classes and len(classes) != len(scores.output):
        raise ShapeError(
            f"The network answers with {len(scores.output)} numbers for {len(classes)} classes.",
            why="it needs one number, a logit, for each class.",
            fix="give as many class names as the last layer has units, in its order.",
        )
    seen = Trace(
        recorded=Layers(photo=pixels, all=layers, by_name={layer.name: layer for layer in layers}),
        logits=scores.output,
        probabilities=probabilities.output,
        classes=tuple(classes) or tuple(str(index) for index in range(len(scores.output))),
    )
    return Recorded(trace=seen, nodes=tuple(nodes), logits=scores, photo=photo)


def _place(module: nn.Module) -> tuple[torch.device, torch.dtype]:
    for parameter in module.parameters():
        if parameter.is_floating_point():
            return parameter.device, parameter.dtype
    return torch.device("cpu"), torch.float32


def _logits(graph: Graph, module: nn.Module, answer: object) -> Node:
    if not isinstance(answer, dict | list | tuple | Tensor):
        answer = getattr(answer, "logits", None)
    for tensor in tensors_in(answer):
        if tensor.ndim == 1 or (tensor.ndim == 2 and len(tensor) == 1):
            origin = graph.origin(tensor)
            if origin is None:
                return graph.box_answer(module, tensor)
            if origin.node is not None and origin.index is None:
                return origin.node
    raise ShapeError(
        "The network's answer is not a row of logits.",
        why=f"it returned {_describe(answer)} for a batch of one image.",
        fix="wrap it in a module whose forward returns a tensor of n rows, one number a class.",
    )


def _describe(answer: object) -> str:
    if isinstance(answer, Tensor):
        return f"a tensor of shape {tuple(answer.shape)}"
    return f"a {type(answer).__name__}"


def _with_softmax(graph: Graph, last: Node, *, is_closed: bool) -> tuple[list[Node], Node]:
    nodes = _alive(graph.nodes, last)
    if is_closed or isinstance(last.operation, Softmax):
        return nodes, last
    module = ModuleCall("", nn.Identity(), None, layers=2)
    softmax = Node(Softmax(), (last,), probabilities_of(last.output), module, "softmax")
    return [*nodes, softmax], softmax


def probabilities_of(
    logits: Float32[np.ndarray, " k"], temperature: float | int = 1
) -> Float32[np.ndarray, " k"]:
    """softmax(logits / temperature), computed in float64."""
    divided = torch.from_numpy(logits).double() / temperature
    found: Float32[np.ndarray, " k"] = torch.softmax(divided, dim=0).float().numpy()
    return found


def each_of(
    logits: Float32[np.ndarray, " k"], temperature: float | int
) -> Float32[np.ndarray, " k"]:
    """sigmoid(logits / temperature), computed in float64."""
    found: Float32[np.ndarray, " k"] = (
        torch.sigmoid(torch.from_numpy(logits).double() / temperature).float().numpy()
    )
    return found


def _alive(nodes: Sequence[Node], last: Node) -> list[Node]:
    """Without the boxes that nothing on the way to the answer reads: counts, comparisons."""
    needed: set[int] = set()
    waiting: list[Node | None] = [last]
    while waiting:
        node = waiting.pop()
        if node is not None and id(node) not in needed:
            needed.add(id(node))
            waiting.extend(node.reads)
    return [node for node in nodes if node.operation.kind != "unknown" or id(node) in needed]


def _name(nodes: Sequence[Node]) -> None:
    last_of = {id(node.module): node for node in nodes}
    own = Counter(id(node.module) for node in nodes)
    used: dict[str, int] = {}
    for node in nodes:
        call = node.module
        stands_alone = last_of[id(call)] is node and call.layers == own[id(call)]
        path = call.path
        if not (path and (node.is_module or stands_alone)):
            path = f"{path}.{node.word}" if path else node.word
        used[path] = used.get(path, 0) + 1
        node.name = path if used[path] == 1 else f"{path}:{used[path]}"


def _layers(nodes: Sequence[Node], photo: Float32[np.ndarray, "c h w"]) -> tuple[TracedLayer, ...]:
    layers: dict[int, TracedLayer] = {}
    for node in nodes:
        below = [None if read is None else layers[id(read)] for read in node.reads]
        layers[id(node)] = TracedLayer(
            name=node.name,
            operation=node.operation,
            inputs=tuple(PHOTO if layer is None else layer.name for layer in below),
            output=node.output,
            view=field_of_view(node.operation, below),
            precision=node.precision,
            owned=node.owned,
        )
    return tuple(layers.values())
