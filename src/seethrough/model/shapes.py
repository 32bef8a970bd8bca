"""How large every layer is and which pixels a cell sees: integer arithmetic, without torch.

Along one axis, with the map below as the unprimed letters:

    size   cells in the map               size'  = (size + 2·pad − width) // stride + 1
                                          with width = dilation·(kernel − 1) + 1
    reach  image px that one cell sees    reach' = reach + (width − 1)·jump
    jump   image px between neighbours    jump'  = jump·stride
    start  first px that cell 0 sees      start' = start − pad·jump      (below 0: padding)

                   parameters                        multiply-adds
    conv           units·(channels·kernel² + bias)   h·w·units·channels·kernel²
    norm           2·channels                        0
    dense          units·(inputs + 1)                units·inputs

A multiply-add is one multiplication and one addition together; padding counts, biases do not.

Raises ShapeError where a window is wider than the map below it, and where a layer would be larger
than a machine can hold; both before the first tensor exists.
Source: Araujo, Norris and Sim, "Computing Receptive Fields of Convolutional Neural Networks",
Distill (2019), doi:10.23915/distill.00021.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

from seethrough.errors import LayerError, ShapeError
from seethrough.model.spec import (
    Activation,
    Conv,
    Dense,
    Flatten,
    LayerSpec,
    NetworkSpec,
    Norm,
    Pool,
    layer_names,
    layer_texts,
)

COLOURS = 3
MAX_PARAMETERS = 250_000_000  # 1 GB as float32; training needs it three times
MAX_CELLS = 50_000_000  # of one layer for one image: 200 MB as float32


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """What a convolution or a pooling slides along one axis, in cells of the map below."""

    layer: str
    kernel: int
    stride: int = 1
    pad: int = 0
    dilation: int = 1


@dataclass(frozen=True, slots=True)
class View:
    """One map along one axis, measured as in the module's table."""

    size: int
    reach: int = 1
    jump: int = 1
    start: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class LayerSize:
    """One layer of a network as text and integers."""

    name: str
    kind: str
    text: str
    shape: tuple[int, ...]  # output: (c, h, w) or (n,)
    parameters: int
    multiply_adds: int
    reach: int | None  # image px that a cell sees along one axis; None from flatten on
    jump: int | None
    start: int | None
    window: Window | None = None  # what it slides over the map below; None: it reads cell by cell


def slide(below: View, window: Window) -> View:
    """The map that the window makes of the map below."""
    room = below.size + 2 * window.pad
    width = window.dilation * (window.kernel - 1) + 1
    if room < width:
        raise ShapeError(
            f"{window.layer}: a window of {width} does not fit a map of {room}.",
            why=f"the layers before it leave {below.size} × {below.size} cells"
            + (f", and {window.pad} of padding on every side." if window.pad else "."),
            fix=f"take larger images, drop a pooling or a stride before {window.layer}, "
            "or give it a smaller kernel or more padding.",
        )
    return View(
        size=(room - width) // window.stride + 1,
        reach=below.reach + (width - 1) * below.jump,
        jump=below.jump * window.stride,
        start=below.start - window.pad * below.jump,
    )


def touched(cells: tuple[int, int], window: Window, size_below: int) -> tuple[int, int]:
    """The cells [first, end) of the map below that the cells [first, end) of a map read."""
    first, end = cells
    width = window.dilation * (window.kernel - 1) + 1
    below = first * window.stride - window.pad
    below_end = (end - 1) * window.stride - window.pad + width
    return max(below, 0), min(below_end, size_below)  # padding is no cell


def measure(
    spec: NetworkSpec, num_classes: int, *, is_several: bool = False
) -> tuple[LayerSize, ...]:
    """Every layer from `normalise` to `softmax`, with sizes, counts and receptive field.

    Of several labels the last one is `sigmoid`.
    """
    if num_classes < 2:
        raise ShapeError(
            f"{num_classes} classes cannot be told apart.",
            why="a classifier decides between at least two classes.",
            fix="give it images of two classes or more.",
        )
    view = View(spec.image_px)
    image = (COLOURS, spec.image_px, spec.image_px)
    seen = [_size("normalise", "normalise", "normalise", image, 0, 0, view)]
    parts = zip(layer_names(spec.layers), layer_texts(spec.layers), spec.layers, strict=True)
    for name, text, layer in parts:
        below = seen[-1].shape
        window = _window(name, layer)
        view = view if window is None else slide(view, window)
        shape = _shape(name, layer, below, view, num_classes)
        parameters, multiply_adds = _counts(layer, below, shape)
        size = _size(name, layer.kind, text, shape, parameters, multiply_adds, view)
        seen.append(replace(size, window=window))
        _check_memory(name, shape, sum(size.parameters for size in seen))
    if seen[-1].shape != (num_classes,):
        raise ShapeError(
            f"{seen[-1].name} has {seen[-1].shape[0]} units, and there are {num_classes} classes.",
            why="the last dense layer gives one number for every class.",
            fix="write it without a number: …, dense.",
        )
    last = "sigmoid" if is_several else "softmax"
    return (*seen, _size(last, last, last, (num_classes,), 0, 0, view))


def _window(name: str, layer: LayerSpec) -> Window | None:
    if isinstance(layer, Conv | Pool):
        return Window(layer=name, kernel=layer.kernel, stride=layer.stride, pad=layer.pad)
    return None


def _shape(
    name: str, layer: LayerSpec, below: tuple[int, ...], view: View, num_classes: int
) -> tuple[int, ...]:
    match layer:
        case Conv():
            return (layer.units, view.size, view.size)
        case Flatten():
            return (math.prod(below),)
        case Dense():
            return (num_classes if layer.units is None else layer.units,)
        case Norm() | Activation():
            return below
        case _:
            return (below[0], view.size, view.size)


def _counts(layer: LayerSpec, below: tuple[int, ...], shape: tuple[int, ...]) -> tuple[int, int]:
    """Parameters and multiply-adds."""
    match layer:
        case Conv():
            products = below[0] * layer.kernel**2
            return layer.units * (products + layer.bias), math.prod(shape) * products
        case Norm():
            return 2 * below[0], 0
        case Dense():
            return shape[0] * (below[0] + 1), shape[0] * below[0]
        case _:
            return 0, 0


def _size(
    name: str,
    kind: str,
    text: str,
    shape: tuple[int, ...],
    parameters: int,
    multiply_adds: int,
    view: View,
) -> LayerSize:
    is_map = len(shape) == 3
    return LayerSize(
        name=name,
        kind=kind,
        text=text,
        shape=shape,
        parameters=parameters,
        multiply_adds=multiply_adds,
        reach=view.reach if is_map else None,
        jump=view.jump if is_map else None,
        start=view.start if is_map else None,
    )


def _check_memory(name: str, shape: tuple[int, ...], parameters: int) -> None:
    cells = math.prod(shape)
    if cells > MAX_CELLS or parameters > MAX_PARAMETERS:
        what = f"{cells:,} cells" if cells > MAX_CELLS else f"{parameters:,} parameters"
        limit = MAX_CELLS if cells > MAX_CELLS else MAX_PARAMETERS
        raise ShapeError(
            f"{name}: up to here the network has {what}.",
            why=f"more than {limit:,} do not fit the memory of an ordinary machine.",
            fix="take smaller images, fewer units, or a pooling or stride before it.",
        )


def sees(
    sizes: Sequence[LayerSize], layer: str, row: int | None, column: int | None, image_px: int
) -> tuple[int, int, int, int]:
    """The pixels [top, left, bottom, right) that a cell sees; padding is no pixel.

    Where there are no rows and columns any more (flatten, dense, softmax), `row` and `column` are
    None, and the answer is what all cells of the last map see together.
    """
    path = _up_to(sizes, layer)
    maps = [size for size in path if len(size.shape) == 3]
    if len(maps) < len(path):
        if row is not None or column is not None:
            raise LayerError(
                f"{layer} has no rows and columns.",
                why="flatten made one row of numbers of the maps.",
                fix="ask without row and column, or ask a layer before flatten.",
            )
        top, bottom = _pixels(maps, (0, maps[-1].shape[1]), image_px)
        return top, top, bottom, bottom
    rows = _one_cell(maps[-1], "row", row)
    columns = _one_cell(maps[-1], "column", column)
    (top, bottom), (left, right) = _pixels(maps, rows, image_px), _pixels(maps, columns, image_px)
    return top, left, bottom, right


def _up_to(sizes: Sequence[LayerSize], layer: str) -> list[LayerSize]:
    names = [size.name for size in sizes]
    if layer not in names:
        raise LayerError(
            f"There is no layer {layer!r}.",
            why=f"the network's layers are {', '.join(names)}.",
            fix="ask for one of these.",
        )
    return list(sizes[: names.index(layer) + 1])


def _one_cell(size: LayerSize, axis: str, cell: int | None) -> tuple[int, int]:
    cells = size.shape[1]
    if cell is None or not 0 <= cell < cells:
        raise LayerError(
            f"{size.name} has no {axis} {cell}.",
            why=f"its maps have {cells} × {cells} cells, counted from 0.",
            fix=f"ask for a {axis} from 0 to {cells - 1}.",
        )
    return cell, cell + 1


def _pixels(maps: Sequence[LayerSize], cells: tuple[int, int], image_px: int) -> tuple[int, int]:
    """Down through all windows to the image. The closed form with reach and start is not enough:
    where a stride leaves pixels over at the edge, a padded cell would claim to see them.
    """
    below = [image_px, *(size.shape[1] for size in maps)]
    for size, size_below in zip(reversed(maps), reversed(below[:-1]), strict=True):
        cells = cells if size.window is None else touched(cells, size.window, size_below)
    return cells
