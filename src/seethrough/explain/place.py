"""From what was asked for to a cell that exists, or an error that says what does."""

from collections.abc import Sequence

from seethrough.errors import LayerError
from seethrough.explain.layer import TracedLayer
from seethrough.explain.operations.arithmetic import Cell
from seethrough.explain.operations.region import Shape


def cell_of(layer: TracedLayer, unit: int, row: int | None, column: int | None) -> Cell:
    """A checked cell; row and column are not needed where a layer has a single one."""
    is_vector = layer.output.ndim == 1
    return cell_in(layer.name, layer.map_shape, unit, row, column, is_vector=is_vector)


def cell_in(
    name: str,
    shape: Shape,
    unit: int,
    row: int | None,
    column: int | None,
    *,
    is_vector: bool = False,
) -> Cell:
    """The same for anything of this name and shape."""
    units, rows, columns = shape
    _check(name, "unit", unit, units)
    if row is None and column is None and (rows, columns) == (1, 1):
        return Cell(unit)
    if row is None or column is None:
        raise LayerError(
            f"{name} needs a row and a column.",
            why=f"each of its units is a map of {rows} × {columns} cells.",
            fix=f"give a row from 0 to {rows - 1} and a column from 0 to {columns - 1}.",
        )
    if is_vector and (row, column) != (0, 0):
        raise LayerError(
            f"{name} has no row {row}, column {column}.",
            why=f"it is a vector of {units} numbers, not maps.",
            fix="leave row and column out.",
        )
    _check(name, "row", row, rows)
    _check(name, "column", column, columns)
    return Cell(unit, row, column)


def check_index(name: str, index: Sequence[int], shape: Sequence[int], *, of: str = "") -> None:
    """LayerError where the array of this shape has no such place; `of` is the layer that has it."""
    fits = len(index) == len(shape) and all(
        0 <= place < size for place, size in zip(index, shape, strict=True)
    )
    if not fits:
        owner, what, its = (of, name, f"its {name}") if of else (name, "number", "it")
        raise LayerError(
            f"{owner} has no {what} at {', '.join(map(str, index)) or 'no place'}.",
            why=f"{its} has the shape {' × '.join(map(str, shape)) or 'of one number'}.",
            fix="give one place for each axis, counted from 0.",
        )


def _check(layer: str, what: str, number: int, count: int) -> None:
    if not 0 <= number < count:
        raise LayerError(
            f"{layer} has no {what} {number}.",
            why=f"it has {count:,} of them, counted from 0.",
            fix=f"choose a {what} from 0 to {count - 1}.",
        )
