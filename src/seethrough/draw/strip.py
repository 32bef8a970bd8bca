"""Many photos in a row, as one picture."""

import numpy as np
from jaxtyping import UInt8
from PIL import Image

from seethrough.draw.picture import png

SIDE_PX = 48  # of a photo in it, at most
MOST = 256


def strip(images: UInt8[np.ndarray, "n h w 3"]) -> bytes:
    """The first MOST photos from left to right as a PNG file, each as a square of one size."""
    shown = images[:MOST]
    side = min(SIDE_PX, shown.shape[1])
    small = [
        np.asarray(Image.fromarray(each).resize((side, side), Image.Resampling.BOX))
        for each in shown
    ]
    return png(np.concatenate(small, axis=1))
