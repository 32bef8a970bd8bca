"""What a published network does with a photo before its first layer, as one line of arithmetic.

    published     v = pixel · factor − offset,  y = (v − mean) / std
    here          y = (pixel / 255 − mean) / std, which is `normalise`

Both are the same line: mean = (mean + offset) / (255 · factor), std = std / (255 · factor).
EfficientNet divides by std once more (include_top). The image size is the side of the square that
reaches the network; photos are brought to it as all photos are here: short side, centre cut out.

Raises SpecError where the file does not say what is needed.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from seethrough.errors import SpecError

Colours = tuple[float, float, float]

FILE = "preprocessor_config.json"


@dataclass(frozen=True, slots=True, kw_only=True)
class Preprocessing:
    """Mean and deviation of pixel / 255, red, green, blue, and the side of the square image."""

    mean: Colours
    std: Colours
    image_px: int


def preprocessing(stored: Mapping[str, Any], name: str) -> Preprocessing:
    """What the fields of preprocessor_config.json mean; `name` stands in the errors."""
    factor = float(stored.get("rescale_factor", 1 / 255)) if stored.get("do_rescale", True) else 1.0
    offset = 1.0 if stored.get("rescale_offset") else 0.0
    mean, std = (0.0, 0.0, 0.0), (1.0, 1.0, 1.0)
    if stored.get("do_normalize", True):
        mean, std = (_colours(stored, field, name) for field in ("image_mean", "image_std"))
        if stored.get("include_top") and "EfficientNet" in _kind(stored):
            std = (std[0] ** 2, std[1] ** 2, std[2] ** 2)
    scale = 255 * factor
    red, green, blue = ((value + offset) / scale for value in mean)
    return Preprocessing(
        mean=(red, green, blue),
        std=(std[0] / scale, std[1] / scale, std[2] / scale),
        image_px=_side(stored, name),
    )


def _kind(stored: Mapping[str, Any]) -> str:
    return str(stored.get("image_processor_type") or stored.get("feature_extractor_type") or "")


def _colours(stored: Mapping[str, Any], field: str, name: str) -> Colours:
    given = stored.get(field)
    if isinstance(given, int | float):
        given = [given] * 3
    try:
        red, green, blue = (float(value) for value in given)  # type: ignore[union-attr]
    except (TypeError, ValueError):
        raise _unsaid(name, f"{field} is {given!r}, and three numbers are needed") from None
    return red, green, blue


def _side(stored: Mapping[str, Any], name: str) -> int:
    """The side of the square that reaches the network."""
    is_cut = stored.get("do_center_crop") and stored.get("crop_size")
    given = stored.get("crop_size") if is_cut else stored.get("size")
    if isinstance(given, Mapping):
        sides = [given[word] for word in ("height", "width", "shortest_edge") if word in given]
    else:
        sides = list(given) if isinstance(given, list | tuple) else [given]
    if not sides or not all(type(side) is int and side > 0 for side in sides):
        raise _unsaid(name, f"its size is {given!r}")
    if len(set(sides)) > 1:
        raise _unsaid(name, f"its images are no squares: {given!r}")
    return int(sides[0])


def _unsaid(name: str, why: str) -> SpecError:
    return SpecError(
        f"{name} does not say how it standardises photos.",
        why=f"in its {FILE}, {why}.",
        fix=f"put a {FILE} beside the weights, with image_mean, image_std (three numbers each, "
        'of pixel / 255) and size, {"height": 224, "width": 224} for instance.',
    )
