"""Which pixels of the photo a cell depends on: regions handed down through the recorded layers.

Every layer turns a region of its output into the region of its input that it reads (the taps of a
window, the very cells of a flattened map, all of it where that is not known). Regions that arrive
at a layer from several sides are joined. The box around what arrives at the photo is the answer: no
pixel outside it can change the cell. The weights play no part.
"""

import numpy as np

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
    return _handed_down(layers, target, region).box


def sees_cell(layers: Layers, layer: TracedLayer, cell: Cell) -> tuple[int, int, int, int]:
    """The same for a cell that was checked before."""
    region = one_cell(layer.map_shape, cell.unit, cell.row, cell.column)
    return _handed_down(layers, layer, region).box


def _handed_down(layers: Layers, target: TracedLayer, region: Region) -> Region:
    photo: Shape = (layers.photo.shape[0], layers.photo.shape[1], layers.photo.shape[2])
    nothing = Region(*(np.zeros(size, bool) for size in photo))
    regions: dict[str, Region] = {target.name: region, PHOTO: nothing}
    for layer in reversed(layers.all):
        if layer.name not in regions:
            continue
        shapes = [photo if name == PHOTO else layers.layer(name).map_shape for name in layer.inputs]
        region = regions.pop(layer.name)
        if region.is_empty:
            continue
        below = layer.operation.below(region, shapes)
        for name, part in zip(layer.inputs, below, strict=True):
            regions[name] = regions[name].joined(part) if name in regions else part
    return regions[PHOTO]
