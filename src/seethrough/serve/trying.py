"""From a question to a change, and from what became of it to a message.

Only the worker calls this; it needs torch.
"""

import hashlib
import math
import struct
from collections.abc import Iterable
from typing import TYPE_CHECKING

import numpy as np

from seethrough.data.alter import Alteration
from seethrough.serve.wire import ChangedLayerMessage, WhatIfMessage, WhatIfQuestion

if TYPE_CHECKING:
    from seethrough.explain.outcome import Outcome
    from seethrough.explain.what_if import Change


def change_of(question: WhatIfQuestion) -> "Change":
    """What is asked, in the words of `explain.what_if`."""
    from seethrough.explain.what_if import Change

    photo = question.photo
    return Change(
        weights={(edit.name, edit.index): edit.value for edit in question.weights},
        off=tuple((unit.layer, unit.unit) for unit in question.off),
        functions=dict(question.functions),
        photo=Alteration(
            cover=photo.cover,
            shift=photo.shift,
            turn_degrees=photo.turn_degrees,
            blur_px=photo.blur_px,
            noise=photo.noise,
            noise_seed=photo.noise_seed,
            brightness=photo.brightness,
            contrast=photo.contrast,
            plain=photo.plain,
            paint=photo.paint,
        ),
        temperature=question.temperature,
    )


def question_id(question: WhatIfQuestion) -> str:
    """The same for the same change."""
    return hashlib.sha256(question.model_dump_json().encode()).hexdigest()[:16]


def what_if_message(
    found: "Outcome", name: str, weights_sha256: str, elapsed_ms: float
) -> WhatIfMessage:
    """Probabilities before and after, and which units it reached."""
    floats = sum(output.size for output in found.outputs.values())
    return WhatIfMessage(
        change_id=name,
        weights_sha256=weights_sha256,
        classes=list(found.before.classes),
        probabilities=found.before.probabilities.tolist(),
        probabilities_after=_numbers(found.probabilities.tolist()),
        logits_after=_numbers(found.logits.tolist()),
        changed=[
            ChangedLayerMessage(layer=layer, units=units, largest=_numbers(largest))
            for layer, units, largest in found.changes()
        ],
        floats=floats,
        photo_offset=floats,
        elapsed_ms=elapsed_ms,
    )


def what_if_floats(found: "Outcome") -> bytes:
    """Every layer's output with the change, then the altered photo's pixel values."""
    photo = found.pixels.transpose(2, 0, 1)
    arrays = [*(output.ravel() for output in found.outputs.values()), photo.ravel()]
    return np.concatenate(arrays).astype("<f4", copy=False).tobytes()


def whole(message: WhatIfMessage, floats: bytes) -> bytes:
    """Length of the JSON (4 bytes, little-endian); the JSON, filled up to whole floats; floats."""
    text = message.model_dump_json().encode()
    text += b" " * (-len(text) % 4)
    return b"".join((struct.pack("<I", len(text)), text, floats))


def _numbers(values: Iterable[float]) -> list[float | None]:
    return [value if math.isfinite(value) else None for value in values]
