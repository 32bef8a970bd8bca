"""A network through time as a sequence of pictures: kernels, maps and probabilities, in one file.

Each picture is one moment: the photo, what the network said of it, the probabilities of all moments
as curves, the kernels of one convolution and the maps of the photo. Kernels have one scale for all
moments, and so have maps. GIF holds 256 colours a picture; WebP holds all of them.
"""

import io
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float32, UInt8
from PIL import Image, ImageDraw, ImageFont

from seethrough.draw.colour import extent, painted
from seethrough.draw.picture import fitted

WIDTH, EDGE, SIDE = 960, 20, 420  # pixels: all of it, around it, what stands on the left
LAST = 6  # the last moment is held for so many pictures' time
MOST_UNITS, MOST_CHANNELS = 32, 16
PER_SECOND = 6.0  # moments, where nobody says otherwise
_PAPER, _INK, _QUIET, _HAIR, _ACCENT = "#faf9f6", "#1d1c1a", "#5d5a53", "#e4e1da", "#0b6e69"
_HUES = ("#b0493f", "#8b6a00", "#2c8034", "#00808c", "#4569c4", "#97489b", "#5d5a53", "#1d1c1a")


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Film:
    """Everything that is drawn, moment by moment."""

    photo: UInt8[np.ndarray, "h w 3"]
    label: str | None  # what the photo shows
    classes: tuple[str, ...]
    captions: tuple[str, ...]  # of each moment
    probabilities: Float32[np.ndarray, "m k"]
    learned: int | None  # the moment from which on it is right until the end
    kernels: Float32[np.ndarray, "m u c a b"]  # of a × b cells
    maps: Float32[np.ndarray, "m v y x"]
    titles: tuple[str, str]  # of the kernels and of the maps


def pictures(film: Film) -> Iterator[Image.Image]:
    """One picture a moment, all of one size."""
    scales = extent(film.kernels), extent(film.maps)
    for moment in range(len(film.captions)):
        kernels = _kernels(film.kernels[moment], scales[0])
        maps = _maps(film.maps[moment], scales[1])
        height = max(560, 170 + kernels.height + maps.height)
        sheet = Image.new("RGB", (WIDTH, height), _PAPER)
        draw = ImageDraw.Draw(sheet)
        _left(sheet, draw, film, moment)
        top = 64
        for title, picture in zip(film.titles, (kernels, maps), strict=True):
            draw.text((EDGE + SIDE + 40, top), title, _INK, font=_font(15))
            sheet.paste(picture, (EDGE + SIDE + 40, top + 26))
            top += 26 + picture.height + 22
        yield sheet


def written(film: Film, *, kind: str, per_second: float) -> bytes:
    """The whole film as a GIF or WebP file that begins again at its end."""
    frames = list(pictures(film))
    if kind == "gif":
        frames = [frame.quantize(256, dither=Image.Dither.NONE) for frame in frames]
    pause = round(1000 / per_second)
    options = {"lossless": True} if kind == "webp" else {"optimize": False}
    file = io.BytesIO()
    frames[0].save(
        file,
        kind.upper(),
        save_all=True,
        append_images=frames[1:],
        duration=[*[pause] * (len(frames) - 1), LAST * pause],
        loop=0,
        **options,
    )
    return file.getvalue()


def _left(sheet: Image.Image, draw: ImageDraw.ImageDraw, film: Film, moment: int) -> None:
    draw.text((EDGE, 18), film.captions[moment], _INK, font=_font(19))
    sheet.paste(Image.fromarray(fitted(film.photo, 128)), (EDGE, 64))
    draw.text((EDGE + 144, 64), film.label or "a photo", _INK, font=_font(15))
    said = film.probabilities[moment]
    order = np.argsort(-film.probabilities.max(0), kind="stable")[: len(_HUES)]
    for place, index in enumerate(sorted(int(each) for each in order)):
        y = 210 + 22 * place
        draw.text((EDGE, y - 2), film.classes[index][:16], _INK, font=_font(13))
        draw.rectangle((EDGE + 120, y + 3, EDGE + 350, y + 11), _HAIR)
        if said[index] > 0:
            end = EDGE + 120 + 230 * float(said[index])
            draw.rectangle((EDGE + 120, y + 3, end, y + 11), _HUES[place])
        share = f"{100 * said[index]:.1f} %"
        draw.text((EDGE + SIDE, y - 2), share, _INK, font=_font(13), anchor="ra")
        _curve(draw, film, moment, index, _HUES[place])
    _frame(draw, film, moment)


def _place(film: Film, moment: int, share: float) -> tuple[float, float]:
    last = max(1, len(film.captions) - 1)
    return EDGE + SIDE * moment / last, 530 - 120 * share


def _curve(draw: ImageDraw.ImageDraw, film: Film, moment: int, index: int, hue: str) -> None:
    points = [_place(film, at, float(row[index])) for at, row in enumerate(film.probabilities)]
    width = 3 if film.classes[index] == film.label else 1
    if len(points) > 1:
        draw.line(points, hue, width=width)
    x, y = points[moment]
    draw.ellipse((x - 3, y - 3, x + 3, y + 3), hue)


def _frame(draw: ImageDraw.ImageDraw, film: Film, moment: int) -> None:
    """The axis of the curves, where the moment stands, and where the photo was learned."""
    (x, bottom), (_, top) = _place(film, moment, 0.0), _place(film, moment, 1.0)
    draw.line((EDGE, bottom, EDGE + SIDE, bottom), _HAIR)
    draw.line((x, top, x, bottom), _ACCENT)
    if film.learned is not None:
        at, _ = _place(film, film.learned, 0.0)
        draw.line((at, top, at, bottom), "#2a7146")
        is_late = at > EDGE + SIDE / 2
        words = (at + (-5 if is_late else 5), top - 16)
        draw.text(
            words, "learned here", "#2a7146", font=_font(12), anchor="ra" if is_late else "la"
        )


def _kernels(values: Float32[np.ndarray, "u c h w"], scale: float) -> Image.Image:
    """A column a unit, its channels below each other."""
    values = values[:MOST_UNITS, :MOST_CHANNELS]
    units, channels = values.shape[:2]
    side = max(6, min(26, (WIDTH - SIDE - 40 - 2 * EDGE) // units - 3))
    gaps = (3, 1)
    size = (units * (side + gaps[0]), channels * (side + gaps[1]))
    return _laid(values.reshape(units * channels, *values.shape[2:]), scale, side, gaps, size)


def _maps(values: Float32[np.ndarray, "u h w"], scale: float) -> Image.Image:
    """In rows of eight."""
    values = values[:MOST_UNITS]
    side, rows = 52, -(-len(values) // 8)
    sheet = Image.new("RGB", (8 * (side + 4), rows * (side + 4)), _PAPER)
    for place, one in enumerate(values):
        at = (place % 8 * (side + 4), place // 8 * (side + 4))
        sheet.paste(Image.fromarray(fitted(painted(one, scale), side)), at)
    return sheet


def _laid(
    values: Float32[np.ndarray, "n h w"],
    scale: float,
    side: int,
    gaps: tuple[int, int],
    size: tuple[int, int],
) -> Image.Image:
    sheet = Image.new("RGB", size, _PAPER)
    rows = size[1] // (side + gaps[1])
    for place, one in enumerate(values):
        at = (place // rows * (side + gaps[0]), place % rows * (side + gaps[1]))
        sheet.paste(Image.fromarray(fitted(painted(one, scale), side)), at)
    return sheet


def _font(size: int) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    return ImageFont.load_default(size)
