"""Which pixels of the photo a cell depends on: boxes handed down through the recorded layers.

Every layer turns a box of its output into the box of its input that it reads (a window's outer
bounds, the very cells of a flattened map, all of it where that is not known), clipped to the map.
Boxes that arrive at a layer from several sides are joined. What arrives at the photo is the answer:
no pixel outside it can change the cell. The weights play no part.
"""

from seethrough.explain.layer import PHOTO, Layers, TracedLayer
from seethrough.explain.operations.arithmetic import Cell
from seethrough.explain.operations.region import Region, Shape, one_cell, whole
from seethrough.explain.place import cell_of


def sees(
    layers: Layers, name: str, row: int | None, column: int | None, unit: int | None
) -> tuple[int, int, int, int]:
    """Top, left, bottom, right; without a unit, of all units at this place."""
    target = layers.layer(name)
    cell = cell_of(target, 0 if unit is None else unit, row, column)
    shape = target.map_shape
    region = one_cell(shape, cell.unit, cell.row, cell.column)
    if unit is None:
        region = region.over(whole(shape).channels)
    box = _handed_down(layers, target, region)
    return box.top, box.left, box.bottom, box.right


def sees_cell(layers: Layers, layer: TracedLayer, cell: Cell) -> tuple[int, int, int, int]:
    """The same for a cell that was checked before."""
    region = one_cell(layer.map_shape, cell.unit, cell.row, cell.column)
    box = _handed_down(layers, layer, region)
    return box.top, box.left, box.bottom, box.right


def _handed_down(layers: Layers, target: TracedLayer, region: Region) -> Region:
    photo: Shape = (layers.photo.shape[0], layers.photo.shape[1], layers.photo.shape[2])
    nothing = Region(whole(photo).channels, 0, 0, 0, 0)
    boxes: dict[str, Region] = {target.name: region, PHOTO: nothing}
    for layer in reversed(layers.all):
        if layer.name not in boxes:
            continue
        shapes = [photo if name == PHOTO else layers.layer(name).map_shape for name in layer.inputs]
        box = boxes.pop(layer.name)
        if box.is_empty:
            continue
        below = layer.operation.below(box, shapes)
        for name, shape, part in zip(layer.inputs, shapes, below, strict=True):
            clipped = part.clipped(shape)
            boxes[name] = boxes[name].joined(clipped) if name in boxes else clipped
    return boxes[PHOTO]
