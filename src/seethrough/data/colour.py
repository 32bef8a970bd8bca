"""Any mode that a picture can be stored in → 8-bit RGB.

    1, L, RGB, YCbCr, HSV   as Pillow converts them
    P, PA                   through their palette
    transparency            laid on white: round((colour × alpha + 255 × (255 − alpha)) / 255)
    I;16 (16-bit grey)      value / 257, rounded: scaled, not clipped
    I (32-bit grey)         0..255 as they are; 0..65,535 / 257; others stretched, with a note
    F (float grey)          0..1 × 255; 0..255 as they are; others stretched, with a note
    CMYK                    (255 − c)(255 − k) / 255; in a JPEG, inverted if Adobe's marker is there
    LAB                     to sRGB by littleCMS

Embedded colour profiles are not applied: the numbers in the file are the numbers that are shown.
"""

import numpy as np
from PIL import Image, ImageChops, ImageCms

_SIXTEEN_BITS_TO_EIGHT = 257  # 65,535 / 255


def to_rgb(image: Image.Image) -> tuple[Image.Image, str | None]:
    """The picture in RGB, and a sentence where a choice had to be made."""
    mode = image.mode
    if mode == "RGB" and "transparency" not in image.info:
        return image, None
    if mode.startswith("I;16"):
        return _sixteen_bit(image), None
    if mode in ("I", "F"):
        return _stretched(image)
    if mode == "CMYK":
        # Pillow takes every CMYK JPEG for an inverted one; only Adobe's are.
        plain = image.format == "JPEG" and "adobe" not in image.info
        return (ImageChops.invert(image) if plain else image).convert("RGB"), None
    if mode == "LAB":
        return _lab(image), None
    if mode in ("LA", "La", "RGBA", "RGBa", "PA") or "transparency" in image.info:
        return _on_white(image)
    return image.convert("RGB"), None


def _on_white(image: Image.Image) -> tuple[Image.Image, str | None]:
    if mode_before := {"La": "LA"}.get(image.mode):
        image = image.convert(mode_before)
    layered = image.convert("RGBA")
    alpha = layered.getchannel("A")
    page = Image.new("RGB", layered.size, "white")
    page.paste(layered, mask=alpha)
    highest = alpha.getextrema()[1]
    return page, "It is transparent everywhere, so only white is left." if highest == 0 else None


def _sixteen_bit(image: Image.Image) -> Image.Image:
    values = np.asarray(image).astype(np.uint32)
    grey = ((values + _SIXTEEN_BITS_TO_EIGHT // 2) // _SIXTEEN_BITS_TO_EIGHT).astype(np.uint8)
    clear = image.info.get("transparency")
    if isinstance(clear, int):
        grey[values == clear] = 255
    return Image.fromarray(grey).convert("RGB")


def _stretched(image: Image.Image) -> tuple[Image.Image, str | None]:
    values = np.asarray(image).astype(np.float64)
    low, high = float(values.min()), float(values.max())
    if not np.isfinite(low + high):
        message = "some of its pixels are not numbers"
        raise ValueError(message)
    note = None
    if image.mode == "F" and low >= 0 and high <= 1:
        values = values * 255
    elif low >= 0 and high <= 255:
        pass
    elif image.mode == "I" and low >= 0 and high <= 65_535:
        values = values / _SIXTEEN_BITS_TO_EIGHT
    else:
        values = (values - low) * (255 / (high - low)) if high > low else values * 0
        note = f"Its values from {low:g} to {high:g} were stretched to 0..255."
    return Image.fromarray(np.rint(values).astype(np.uint8)).convert("RGB"), note


def _lab(image: Image.Image) -> Image.Image:
    lab, srgb = ImageCms.createProfile("LAB"), ImageCms.createProfile("sRGB")
    converted = ImageCms.profileToProfile(image, lab, srgb, outputMode="RGB")
    assert converted is not None  # None only when converting in place
    return converted
