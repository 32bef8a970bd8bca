"""The sizes of a network that is code, from one recorded forward that computes no numbers.

The module runs once on the meta device, where tensors have shapes and no memory; code that needs
numbers runs on the processor instead. Every operation on activations becomes a row, as `shapes`
gives it for a text: name, shape, parameters, multiply-adds and receptive field.

    name           the path of the module whose forward is this one operation, else the path of
                   the module that computes it and the kind; ":2" where a name comes again
    parameters     of every weight where it is first read; their sum is the module's
    multiply-adds  of convolutions and matrix products, as in `shapes`
    reach          where branches meet, from the first to the last pixel that one of them sees;
                   None from where a layer reads a whole map

What is not known by name is a row of its function's name: its shape is right, its reach is that of
what it read. Raises ShapeError where the network does not fit images of this size.
"""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace

import torch
from torch import Tensor, nn
from torch.utils._python_dispatch import TorchDispatchMode

from seethrough.errors import SeethroughError, ShapeError
from seethrough.model import several
from seethrough.model.coded import Network
from seethrough.model.make import make
from seethrough.model.mode import evaluating, place_of
from seethrough.model.reference import seeded
from seethrough.model.shapes import COLOURS, LayerSize, View, Window, measure, slide
from seethrough.model.spec import NetworkSpec

_KINDS = {
    "convolution": "conv",
    "addmm": "dense",
    "mm": "dense",
    "native_batch_norm": "norm",
    "_native_batch_norm_legit_no_training": "norm",
    "native_layer_norm": "norm",
    "native_group_norm": "norm",
    "hardtanh": "relu6",
    "max_pool2d_with_indices": "max_pool",
    "avg_pool2d": "avg_pool",
    "_adaptive_avg_pool2d": "adaptive_avg_pool",
    "mean": "global_avg_pool",
    "amax": "global_max_pool",
    "cat": "concat",
    "mul": "multiply",
    "_softmax": "softmax",
    "upsample_nearest2d": "rearrange",
    "bmm": "matrix_product",
    "baddbmm": "matrix_product",
}
# The same numbers in another order or type: no layer.
_SAME = {
    *("t", "permute", "transpose", "clone", "detach", "alias", "expand", "_to_copy"),
    *("view", "_unsafe_view", "_reshape_alias", "squeeze", "unsqueeze"),
}


@dataclass(slots=True)
class _Call:
    """One run of a module's forward."""

    path: str
    above: "_Call | None"
    layers: int = 0


@dataclass(frozen=True, slots=True)
class _Seen:
    """What is known of a tensor of activations: how its cells see the image, how it is held.

    `rows` and `columns` are those of a map whose channels come last, as 1 h w c or as h·w c.
    """

    view: View | None
    rows: int | None = None
    columns: int | None = None


def measured(
    network: Network, num_classes: int, *, is_several: bool = False
) -> tuple[LayerSize, ...]:
    """Every layer of any network, from `normalise` to `softmax`; a reference is imported."""
    if isinstance(network, NetworkSpec):
        return measure(network, num_classes, is_several=is_several)
    nothing, one = (0.0, 0.0, 0.0), (1.0, 1.0, 1.0)
    place = "meta" if network.has_sizes_alone else "cpu"
    try:
        with torch.device(place):
            module = make(
                network,
                num_classes=num_classes,
                mean=nothing,
                std=one,
                seed=0,
                is_several=is_several,
            )
        return sizes_of(module, network.image_px)
    except (RuntimeError, ValueError, TypeError, IndexError) as error:
        if isinstance(error, SeethroughError):
            raise
        raise ShapeError(
            f"{network.name} does not fit images of {network.image_px} × {network.image_px} px.",
            why=f"{type(error).__name__}: {error}",
            fix="take larger images, or another network.",
        ) from error


def sizes_of(module: nn.Module, image_px: int) -> tuple[LayerSize, ...]:
    """Every layer of a module that takes pixels 0..255, wherever its weights are."""
    recorder = _Recorder(module)
    device, _ = place_of(module)
    image = torch.zeros(1, COLOURS, image_px, image_px, device=device)
    recorder.keep(image, _Seen(View(image_px)))
    with evaluating(module), torch.no_grad(), seeded(0), recorder.hooked(module), recorder:
        answer = module(image)
    shape = tuple(answer.shape[1:])
    view = View(image_px)
    first = _row("normalise", "normalise", (COLOURS, image_px, image_px), 0, 0, view)
    if several.is_several(module):  # its sigmoid was heard
        return first, *recorder.named()
    return first, *recorder.named(), _row("softmax", "softmax", shape, 0, 0, None)


class _Recorder(TorchDispatchMode):  # type: ignore[no-untyped-call]
    """Hears every operation of the framework that the module's own code leads to."""

    def __init__(self, module: nn.Module) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self._owner = {id(tensor): name for name, tensor in module.named_parameters()}
        self._numel = {name: tensor.numel() for name, tensor in module.named_parameters()}
        self._seen: dict[int, _Seen] = {}
        self._alive: list[Tensor] = []  # so that no identity comes again
        self._rows: list[tuple[LayerSize, _Call]] = []
        self._call = _Call("", None)

    def keep(self, tensor: Tensor, seen: _Seen) -> None:
        """These numbers were made of the image."""
        self._alive.append(tensor)
        self._seen[id(tensor)] = seen

    @contextmanager
    def hooked(self, module: nn.Module) -> Iterator[None]:
        """Inside, it knows whose forward is running."""

        def enter(path: str) -> Callable[..., None]:
            def entered(*_: object) -> None:
                self._call = _Call(path, self._call)

            return entered

        def leave(*_: object) -> None:
            assert self._call.above is not None
            self._call = self._call.above

        handles = []
        for path, part in module.named_modules():
            handles.append(part.register_forward_pre_hook(enter(path)))
            handles.append(part.register_forward_hook(leave, always_call=True))
        try:
            yield
        finally:
            for handle in handles:
                handle.remove()

    def named(self) -> Iterator[LayerSize]:
        """All rows with their names; what normalises the pixels is not among them."""
        used: Counter[str] = Counter()
        for row, call in self._rows:
            if call.path == "normalise":
                continue
            name = call.path if call.path and call.layers == 1 else f"{call.path}.{row.kind}"
            name = name.removeprefix(".")
            used[name] += 1
            yield replace(row, name=name if used[name] == 1 else f"{name}:{used[name]}")

    def __torch_dispatch__(  # type: ignore[no-untyped-def]
        self, func, types, args=(), kwargs=None
    ) -> object:
        """Compute, and enter what was computed from activations."""
        result: object = func(*args, **(kwargs or {}))
        given, made = list(_tensors(args)), list(_tensors([result]))
        self._alive += [*given, *made]
        name = func.overloadpacket.__name__.removesuffix("_")
        activations = [tensor for tensor in given if id(tensor) in self._seen]
        if activations and made:
            self._enter(name, args, given, activations, made)
        elif len(given) == 1 and made and id(given[0]) in self._owner:
            self._owner[id(made[0])] = self._owner[id(given[0])]  # a weight, turned around
        return result

    def _enter(
        self,
        name: str,
        arguments: Sequence[object],
        given: Sequence[Tensor],
        activations: Sequence[Tensor],
        made: Sequence[Tensor],
    ) -> None:
        below = [self._seen[id(tensor)] for tensor in activations]
        if name in _SAME:
            seen = _held(name, arguments, below[0], activations[0], made[0])
            self._seen[id(made[0])] = seen
            if activations[0].ndim == 4 and made[0].ndim == 2 and below[0].rows is None:
                self._add("flatten", "flatten", made[0], seen, (0, 0))
            return
        seen = _after(name, arguments, below, activations[0])
        for tensor in made:
            self._seen[id(tensor)] = seen
        read = {self._owner[id(tensor)] for tensor in given if id(tensor) in self._owner}
        parameters = sum(self._numel.pop(each, 0) for each in read)
        counts = parameters, _products(name, given, made[0])
        self._add(
            _kind(name, arguments, activations),
            _text(name, _kind(name, arguments, activations), arguments, given),
            made[0],
            seen,
            counts,
        )

    def _add(
        self, kind: str, text: str, made: Tensor, seen: _Seen, counts: tuple[int, int]
    ) -> None:
        shape = tuple(made.shape[1:])
        if seen.rows is not None and seen.columns is not None:
            shape = (made.shape[-1], seen.rows, seen.columns)
        self._rows.append((_row(kind, text, shape, *counts, seen.view), self._call))
        call: _Call | None = self._call
        while call is not None:
            call.layers += 1
            call = call.above


def _row(
    kind: str, text: str, shape: tuple[int, ...], parameters: int, products: int, view: View | None
) -> LayerSize:
    seen = view if len(shape) == 3 else None
    return LayerSize(
        name=kind,
        kind=kind,
        text=text,
        shape=shape,
        parameters=parameters,
        multiply_adds=products,
        reach=None if seen is None else seen.reach,
        jump=None if seen is None else seen.jump,
        start=None if seen is None else seen.start,
    )


def _held(
    name: str, arguments: Sequence[object], below: _Seen, before: Tensor, after: Tensor
) -> _Seen:
    """The same numbers, held in another way."""
    if name == "permute" and before.ndim == 4:
        order = arguments[1]
        if order == [0, 2, 3, 1]:
            return _Seen(below.view, before.shape[2], before.shape[3])
        return _Seen(below.view) if order == [0, 3, 1, 2] else below
    is_view = name in {"view", "_unsafe_view", "_reshape_alias"}
    if is_view and below.rows is None and before.ndim == 4 and after.ndim < 4:
        return _Seen(None)  # one row of numbers
    return below


def _after(name: str, arguments: Sequence[object], below: Sequence[_Seen], first: Tensor) -> _Seen:
    """How the cells of a result see the image."""
    seen = below[0]
    views = [each.view for each in below]
    if name == "cat" or len(views) > 1:
        return replace(seen, view=_joined(views))
    if seen.view is None:
        return seen
    if name in {"mean", "amax", "_adaptive_avg_pool2d"}:
        return _Seen(None)
    window = _window(name, arguments)
    if window is not None:
        view = replace(seen.view, size=first.shape[2])
        return _Seen(slide(view, window))
    if name == "upsample_nearest2d":
        below_view, size = seen.view, arguments[1]
        assert isinstance(size, list)
        jump = below_view.jump * first.shape[2] // size[0]
        # A cell lies on the left or on the right of the one below: both bounds count.
        slack = below_view.jump - jump
        return _Seen(View(size[0], below_view.reach + slack, jump, below_view.start - slack))
    return seen


def _joined(views: Sequence[View | None]) -> View | None:
    """From the first to the last pixel that one of them sees."""
    known = [view for view in views if view is not None]
    if len(known) < len(views) or len({view.jump for view in known}) > 1:
        return None
    start = min(view.start for view in known)
    end = max(view.start + view.reach for view in known)
    return View(known[0].size, end - start, known[0].jump, start)


def _window(name: str, arguments: Sequence[object]) -> Window | None:
    """What slides, along the rows."""
    if name == "convolution":
        kernel = arguments[1]
        assert isinstance(kernel, Tensor)
        stride, pad, dilation, is_transposed = (arguments[place] for place in (3, 4, 5, 6))
        if is_transposed:
            return None
        return Window(
            layer=name,
            kernel=kernel.shape[2],
            stride=_first(stride, 1),
            pad=_first(pad, 0),
            dilation=_first(dilation, 1),
        )
    if name in {"max_pool2d_with_indices", "avg_pool2d"}:
        kernel_size = _first(arguments[1], 1)
        given = [*arguments[2:4], None, None]
        return Window(
            layer=name,
            kernel=kernel_size,
            stride=_first(given[0], kernel_size),
            pad=_first(given[1], 0),
        )
    return None


def _kind(name: str, arguments: Sequence[object], activations: Sequence[Tensor]) -> str:
    if name == "mul" and len(activations) == 1:
        return "scale"
    if name == "_adaptive_avg_pool2d" and _first(arguments[1], 0) == 1:
        return "global_avg_pool"
    return _KINDS.get(name, name)


def _first(value: object, otherwise: int) -> int:
    if isinstance(value, int):
        return value
    return int(value[0]) if isinstance(value, list | tuple) and value else otherwise


def _products(name: str, given: Sequence[Tensor], made: Tensor) -> int:
    """Multiply-adds of one image."""
    if name == "convolution":
        return made.numel() * given[1][0].numel()
    if name in {"mm", "addmm", "bmm", "baddbmm"}:
        return made.numel() * given[-1].shape[-2]
    return 0


def _text(name: str, kind: str, arguments: Sequence[object], given: Sequence[Tensor]) -> str:
    """As a network's text would say it, as far as it can."""
    window = _window(name, arguments)
    if name == "convolution" and window is not None:
        groups = _first(arguments[8], 1)
        words = [kind, str(given[1].shape[0]), f"k{window.kernel}"]
        words += [f"s{window.stride}"] if window.stride > 1 else []
        words += [f"p{window.pad}"] if window.pad else []
        words += [f"groups {groups}"] if groups > 1 else []
        return " ".join(words)
    if window is not None:
        words = [kind.replace("_", ""), str(window.kernel)]
        words += [f"s{window.stride}"] if window.stride != window.kernel else []
        words += [f"p{window.pad}"] if window.pad else []
        return " ".join(words)
    return f"dense {given[-1].shape[-1]}" if kind == "dense" else kind


def _tensors(values: Sequence[object]) -> Iterator[Tensor]:
    for value in values:
        if isinstance(value, Tensor):
            yield value
        elif isinstance(value, list | tuple):
            yield from _tensors(value)
