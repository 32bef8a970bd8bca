"""A network's numbers as one piece of static HTML: no script, no style sheet, nothing fetched.

It stands on its own light paper, whatever colour the page around it has.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

import numpy as np
from jaxtyping import Float32, UInt8

from seethrough.draw.colour import extent, painted
from seethrough.draw.picture import column, data_uri, fitted

MAP_PX = 32  # side of a map
PHOTO_PX = 96
_PAPER = "background:#faf9f6;color:#1d1c1a;font:13px/1.5 system-ui,sans-serif"
_QUIET = "color:#5d5a53;font-size:11px"
_CELL = "padding:1px 10px 1px 0;font-size:12px"
_SCALE_STEPS = 64


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """One layer: its name, what it is, and some of its maps on a scale of their own."""

    name: str
    note: str
    maps: Sequence[Float32[np.ndarray, "h w"]]
    words: str  # what the maps are, for those who do not see them


@dataclass(frozen=True, slots=True, kw_only=True)
class Sheet:
    """A photo, what each layer makes of it, and what the network says."""

    photo: UInt8[np.ndarray, "h w 3"]
    columns: Sequence[Column]
    classes: Sequence[str]  # those that are shown, most probable first
    probabilities: Sequence[float]
    notes: Sequence[str]


def html(sheet: Sheet) -> str:
    """The sheet as it stands in a notebook."""
    photo = _picture(fitted(sheet.photo, PHOTO_PX), "the photo", PHOTO_PX)
    height, width = sheet.photo.shape[:2]
    first = _block("photo", f"{height} × {width} px", photo + _bars(sheet))
    blocks = "".join([first, *_layers(sheet.columns)])
    notes = "".join(f'<div style="{_QUIET}">{escape(note)}</div>' for note in sheet.notes)
    return (
        f'<div style="{_PAPER};padding:12px 16px;border-radius:8px;overflow-x:auto">'
        f'<div style="display:flex;gap:14px;align-items:flex-start">{blocks}</div>'
        f"{notes}</div>"
    )


def _block(name: str, note: str, content: str, *, has_room: bool = False) -> str:
    """With room its note may reach over the next block, which has none."""
    width = "width:0;" if has_room else ""
    return (
        '<div style="flex:none">'
        f'<div style="font-weight:600;font-size:12px">{escape(name)}</div>'
        f'<div style="{_QUIET};{width}white-space:nowrap;margin-bottom:6px">'
        f"{escape(note) or '&nbsp;'}</div>{content}</div>"
    )


def _layers(columns: Sequence[Column]) -> list[str]:
    """A size that several layers in a row have is said once, over the first of them."""
    notes = ["", *[layer.note for layer in columns], ""]
    blocks = []
    for before, layer, after in zip(notes, columns, notes[2:], strict=False):
        own = "" if layer.note == before else layer.note
        blocks.append(_layer(layer, own, has_room=layer.note == after))
    return blocks


def _layer(layer: Column, note: str, *, has_room: bool) -> str:
    largest = extent(np.concatenate([values.ravel() for values in layer.maps]))
    picture = _picture(column(layer.maps, largest, side=MAP_PX), layer.words, MAP_PX)
    ends = np.linspace(-1, 1, _SCALE_STEPS, dtype=np.float32)[None].repeat(4, axis=0)
    bar = _picture(painted(ends, 1.0), f"colours from −{largest:.3g} to {largest:.3g}", MAP_PX)
    scale = f'<div style="{_QUIET};margin-top:4px">±{largest:.3g}</div>{bar}'
    return _block(layer.name, note, picture + scale, has_room=has_room)


def _picture(pixels: UInt8[np.ndarray, "h w 3"], words: str, width: int) -> str:
    said = escape(words, quote=True)
    return (
        f'<img alt="{said}" title="{said}" src="{data_uri(pixels)}" width="{width}" '
        'style="display:block;image-rendering:pixelated;border-radius:2px;max-width:none">'
    )


def _bars(sheet: Sheet) -> str:
    rows = [
        f'<tr style="background:none"><td style="text-align:left;{_CELL}">{escape(name)}</td>'
        f'<td style="{_CELL}"><div style="width:60px;background:#eae7e0;border-radius:3px">'
        f'<div style="width:{60 * share:.1f}px;height:6px;background:#1d1c1a;border-radius:3px">'
        f'</div></div></td><td style="text-align:right;{_CELL}">{_percent(share)}</td></tr>'
        for name, share in zip(sheet.classes, sheet.probabilities, strict=True)
    ]
    title = '<div style="font-weight:600;font-size:12px;margin:12px 0 4px">probabilities</div>'
    # a notebook has a colour for tables, of its own paper
    return f'{title}<table style="border:0;margin:0;color:inherit">{"".join(rows)}</table>'


def _percent(share: float) -> str:
    return "&lt; 0.1 %" if 0 < share < 0.0005 else f"{100 * share:.1f} %"
