"""Training's events as lines of the log: plain values, in the words of the server's messages.

A line begins with its kind. Test images are named t<position in the data set>. Kernels are the
shortest decimal numbers that give the same float32 back.
"""

import math

import numpy as np

from seethrough.errors import SeethroughError
from seethrough.runs.log import LogEvent
from seethrough.train.events import EpochEnd, Started, Step


def photo_id(index: int) -> str:
    """The name of an image of the data set."""
    return f"t{index}"


def started(event: Started) -> LogEvent:
    """What will happen."""
    return {
        "kind": "started",
        "epochs": event.epochs,
        "steps": event.steps,
        "images": event.images,
        "test_images": event.test_images,
        "classes": list(event.classes),
        "watched": [photo_id(index) for index in event.watched],
    }


def step(event: Step) -> LogEvent:
    """One gradient-descent step."""
    return {
        "kind": "step",
        "step": event.step,
        "epoch": event.epoch,
        "loss": _number(event.loss),
        "lr": event.lr,
        "elapsed_s": round(event.elapsed_s, 4),
    }


def epoch(event: EpochEnd, share_of_limit: float | None = None) -> LogEvent:
    """The end of an epoch, and how much of the machine's limit it used."""
    return {
        "kind": "epoch",
        "epoch": event.epoch,
        "step": event.step,
        "train_loss": _number(event.train_loss),
        "train_accuracy": event.train_accuracy,
        "test_loss": _number(event.test_loss),
        "test_accuracy": event.test_accuracy,
        "images_per_second": event.images_per_second,
        "image_px": event.image_px,
        "share_of_limit": _six(share_of_limit),
        "elapsed_s": round(event.elapsed_s, 4),
        "time_s": {phase: round(seconds, 4) for phase, seconds in event.time_s.items()},
        "kernels": [] if event.kernels is None else _shortest(event.kernels),
        "watched": [
            {
                "photo": photo_id(each.index),
                "label": each.label,
                "probabilities": list(each.probabilities),
            }
            for each in event.watched
        ],
        "layers": [
            {
                "name": each.name,
                "gradient_norm": _six(each.gradient_norm),
                "update_share": _six(each.update_share),
            }
            for each in event.layers
        ],
    }


def checkpoint(step: int, epoch: int, weights_sha256: str) -> LogEvent:
    """A checkpoint is on disk, verified."""
    return {"kind": "checkpoint", "step": step, "epoch": epoch, "weights_sha256": weights_sha256}


def steered(step: int, rate_factor: float) -> LogEvent:
    """From this step on, the learning rate is the schedule's times this factor."""
    return {"kind": "steered", "step": step, "rate_factor": rate_factor}


def paused(step: int, epoch: int) -> LogEvent:
    """Somebody asked for a pause after this step; what was learned is on disk."""
    return {"kind": "paused", "step": step, "epoch": epoch}


def went_on(step: int) -> LogEvent:
    """The pause after this step is over."""
    return {"kind": "went_on", "step": step}


def note(text: str) -> LogEvent:
    """A sentence for the reader of the log."""
    return {"kind": "note", "text": text}


def end(
    state: str,
    *,
    epoch: int,
    train_seconds: float,
    test_accuracy: float | None,
    weights_sha256: str | None,
    error: SeethroughError | None = None,
) -> LogEvent:
    """The last line."""
    return {
        "kind": "end",
        "state": state,
        "epoch": epoch,
        "train_seconds": round(train_seconds, 4),
        "test_accuracy": test_accuracy,
        "weights_sha256": weights_sha256,
        "error": error and {"what": error.what, "why": error.why, "fix": error.fix},
    }


def _number(value: float | None) -> float | None:
    return value if value is not None and math.isfinite(value) else None


def _six(value: float | None) -> float | None:
    """Six digits: as many as a reader of a curve could want."""
    return float(f"{value:.6g}") if value is not None and math.isfinite(value) else None


def _shortest(values: np.ndarray) -> list[list[list[list[float]]]]:
    flat = [float(str(value)) for value in values.ravel()]
    shaped: list[list[list[list[float]]]] = np.array(flat).reshape(values.shape).tolist()
    return shaped
