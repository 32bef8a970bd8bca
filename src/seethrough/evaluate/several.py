"""How good a network is on photos with several labels: each label a question, yes or no.

    said             p ≥ ½
    accuracy         share of photos of which every label is right (subset accuracy), Wilson
    chance           accuracy of always saying the combination that most of these photos show
    label_accuracy   mean over the labels of the share of photos for which that label is right
    label_chance     label_accuracy of always giving each label its more frequent answer
    precision        right when it says so; recall: found; f1: 2·hits / (shown + said)
    average precision  Σ (recall_i − recall_(i−1)) · precision_i, over the distinct probabilities
                     from the largest on: 1 where every photo with the label is more probable than
                     every photo without; about the share of photos with it where it knows nothing
    macro            plain mean over the labels for which a number exists
    loss             mean over photos and labels of −ln p of the true answer; 0 counts as 1.2e-38

Intervals of means over labels are 95 % percentile bootstrap: photos drawn with replacement, 1,000
times, fewer where photos times labels are more than 200,000, by a fixed seed. Shares are 0..1.
Raises as `report.evaluate` does. Knows neither torch nor files.
Sources: scikit-learn's average_precision_score; Efron and Tibshirani, An Introduction to the
Bootstrap (1993), section 13.3.
"""

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Float, Float64, Int64, UInt8

from seethrough.errors import CheckpointError, DataError, ShapeError
from seethrough.evaluate import several_verdict
from seethrough.evaluate.interval import wilson
from seethrough.evaluate.several_table import text

SMALLEST = float(np.finfo(np.float32).tiny)
_SAME = 1e-9  # means that differ by less differ by rounding alone
_DRAWS, _LEAST_DRAWS, _CELLS = 1000, 100, 200_000_000  # photos · labels · draws at most


@dataclass(frozen=True, slots=True, kw_only=True)
class LabelScore:
    """How one label fares; None where nothing can be divided."""

    label: str
    images: int  # photos that show it
    said: int  # photos of which it was said
    precision: float | None
    recall: float | None
    f1: float | None
    average_precision: float | None
    accuracy: float  # share of all photos for which its yes or no is right
    chance: float  # the same of always giving the more frequent answer


@dataclass(frozen=True, slots=True, kw_only=True)
class Mean:
    """A mean over the labels, with its 95 % interval; value None where no label has the number.

    Interval None also where no draw of the photos gives another mean: of photos without a mistake
    drawing cannot tell how many mistakes there are to come.
    """

    value: float | None
    interval: tuple[float, float] | None


@dataclass(frozen=True, slots=True, kw_only=True)
class SeveralReport:
    """What was measured, and what it means in plain sentences; printing it gives a table."""

    accuracy: float
    interval: tuple[float, float]  # 95 %, Wilson
    images: int
    chance: float
    label_accuracy: float
    label_chance: float
    train_accuracy: float | None
    train_images: int
    loss: float
    classes: tuple[str, ...]
    per_label: tuple[LabelScore, ...]
    macro: dict[str, Mean]  # precision, recall, f1, average_precision
    verdict: str
    explanation: str
    warnings: tuple[str, ...]
    views: int = 1  # of each photo, whose answers were averaged

    def to_dict(self) -> dict[str, Any]:
        """The report as JSON has it: lists, dictionaries, strings and numbers."""
        told: dict[str, Any] = _plain(dataclasses.asdict(self))
        return told

    @classmethod
    def from_dict(cls, stored: Mapping[str, Any]) -> "SeveralReport":
        """The report that `to_dict` wrote."""
        values = dict(stored)
        values["interval"] = tuple(values["interval"])
        values["classes"] = tuple(values["classes"])
        values["per_label"] = tuple(LabelScore(**score) for score in values["per_label"])
        values["macro"] = {
            name: Mean(
                value=each["value"],
                interval=None if each["interval"] is None else tuple(each["interval"]),
            )
            for name, each in values["macro"].items()
        }
        values["warnings"] = tuple(values["warnings"])
        return cls(**values)

    def __str__(self) -> str:
        return text(self)


def evaluate_several(
    probabilities: Float[np.ndarray, "n k"],
    labels: UInt8[np.ndarray, "n k"],
    classes: Sequence[str],
    *,
    train_accuracy: float | None = None,
    train_images: int = 0,
) -> SeveralReport:
    """Hold what the network said of every photo against what the photo shows."""
    _check(probabilities, labels, classes)
    images = len(labels)
    truth, said = labels == 1, probabilities >= 0.5
    hits = int((truth == said).all(axis=1).sum())
    _, seen = np.unique(truth, axis=0, return_counts=True)
    interval = wilson(hits, images)
    scores = tuple(
        _score(name, truth[:, number], said[:, number], probabilities[:, number])
        for number, name in enumerate(classes)
    )
    of_truth = np.where(truth, probabilities, 1 - probabilities.astype(np.float64))
    chance, label_accuracy = int(seen.max()) / images, float((truth == said).mean())
    words = several_verdict.judge(
        scores,
        several_verdict.Facts(
            hits=hits,
            images=images,
            chance=chance,
            label_accuracy=label_accuracy,
            train_accuracy=train_accuracy,
            train_images=train_images,
        ),
    )
    return SeveralReport(
        accuracy=hits / images,
        interval=(interval.low, interval.high),
        images=images,
        chance=chance,
        label_accuracy=label_accuracy,
        label_chance=float(np.mean([score.chance for score in scores])),
        train_accuracy=train_accuracy,
        train_images=train_images,
        loss=float(-np.log(np.maximum(of_truth, SMALLEST)).mean()),
        classes=tuple(classes),
        per_label=scores,
        macro=_macro(scores, truth, said, probabilities),
        verdict=words.verdict,
        explanation=words.explanation,
        warnings=words.warnings,
    )


def _plain(value: Any) -> Any:
    """Tuples as lists, all the way down."""
    if isinstance(value, dict):
        return {name: _plain(each) for name, each in value.items()}
    return [_plain(each) for each in value] if isinstance(value, list | tuple) else value


def _score(
    name: str, truth: np.ndarray, said: np.ndarray, probabilities: Float[np.ndarray, " n"]
) -> LabelScore:
    shown, told, hits = int(truth.sum()), int(said.sum()), int((truth & said).sum())
    share = shown / len(truth)
    precision = _average_precision(truth, probabilities, np.ones((1, len(truth))))[0]
    return LabelScore(
        label=name,
        images=shown,
        said=told,
        precision=hits / told if told else None,
        recall=hits / shown if shown else None,
        f1=2 * hits / (shown + told) if shown + told else None,
        average_precision=None if np.isnan(precision) else float(precision),
        accuracy=float((truth == said).mean()),
        chance=max(share, 1 - share),
    )


def _average_precision(
    truth: np.ndarray,
    probabilities: Float[np.ndarray, " n"],
    weights: Float64[np.ndarray, "draws n"],
) -> Float64[np.ndarray, " draws"]:
    """Of photos that count so often each; NaN where none with the label counts."""
    order = np.argsort(-probabilities, kind="stable")
    ends = np.append(np.flatnonzero(np.diff(probabilities[order])), len(order) - 1)
    drawn = weights[:, order]
    said = np.cumsum(drawn, axis=1)[:, ends]
    hits = np.cumsum(drawn * truth[order], axis=1)[:, ends]
    shown = hits[:, -1]
    precision = np.divide(hits, said, out=np.zeros_like(hits), where=said > 0)
    gained = np.diff(hits, axis=1, prepend=0.0)
    total = (gained * precision).sum(axis=1)
    return _divided(total, shown)


def _macro(
    scores: Sequence[LabelScore],
    truth: np.ndarray,
    said: np.ndarray,
    probabilities: Float[np.ndarray, "n k"],
) -> dict[str, Mean]:
    """The means over the labels, and how far chance would move them."""
    images, count = truth.shape
    draws = max(_LEAST_DRAWS, min(_DRAWS, _CELLS // (images * count)))
    rows = _drawn(images, draws, truth, said, probabilities)
    found = {}
    for name, table in rows.items():
        own = [getattr(score, name) for score in scores]
        known = [value for value in own if value is not None]
        if not known:
            found[name] = Mean(value=None, interval=None)
            continue
        means, value = _means(table), float(np.mean(known))
        if np.ptp(means) < _SAME:
            found[name] = Mean(value=value, interval=None)
            continue
        low, high = np.percentile(means, [2.5, 97.5])
        found[name] = Mean(value=value, interval=(min(float(low), value), max(float(high), value)))
    return found


def _drawn(
    images: int,
    draws: int,
    truth: np.ndarray,
    said: np.ndarray,
    probabilities: Float[np.ndarray, "n k"],
) -> dict[str, Float64[np.ndarray, "draws k"]]:
    """The scores of every label on photos drawn with replacement; NaN: nothing to divide."""
    generator = np.random.default_rng(0)
    parts: dict[str, list[np.ndarray]] = {name: [] for name in NAMES}
    at_once = max(1, 4_000_000 // images)
    for start in range(0, draws, at_once):
        some = min(at_once, draws - start)
        picked: Int64[np.ndarray, "draws n"] = generator.multinomial(
            images, np.full(images, 1 / images), size=some
        )
        weights = picked.astype(np.float64)
        shown, told = weights @ truth, weights @ said
        hits = weights @ (truth & said)
        parts["precision"].append(_divided(hits, told))
        parts["recall"].append(_divided(hits, shown))
        parts["f1"].append(_divided(2 * hits, shown + told))
        columns = zip(truth.T, probabilities.T, strict=True)
        parts["average_precision"].append(
            np.stack([_average_precision(*each, weights) for each in columns], axis=1)
        )
    return {name: np.concatenate(tables) for name, tables in parts.items()}


NAMES = ("precision", "recall", "f1", "average_precision")


def _divided(above: np.ndarray, below: np.ndarray) -> Float64[np.ndarray, "..."]:
    found: np.ndarray = np.divide(above, below, out=np.full(above.shape, np.nan), where=below > 0)
    return found


def _means(table: Float64[np.ndarray, "draws k"]) -> Float64[np.ndarray, " m"]:
    """Over the labels that have a number, of the draws in which any has."""
    known = ~np.isnan(table)
    counts = known.sum(axis=1)
    means: np.ndarray = np.where(known, table, 0.0).sum(axis=1)[counts > 0] / counts[counts > 0]
    return means


def _check(
    probabilities: Float[np.ndarray, "rows columns"],
    labels: UInt8[np.ndarray, "photos labels"],
    classes: Sequence[str],
) -> None:
    if not probabilities.shape == labels.shape == (len(labels), len(classes)):
        raise ShapeError(
            f"{' × '.join(map(str, probabilities.shape))} probabilities for "
            f"{' × '.join(map(str, labels.shape))} labels of {len(classes)} names.",
            why="every photo needs a probability and a 0 or 1 for every label.",
            fix="pass the labels and the names of the photos that were judged.",
        )
    if len(labels) == 0:
        raise DataError(
            "There is no test photo.",
            why="a network can only be judged on photos that were set aside before training.",
            fix="add photos, or set more of them aside.",
        )
    if labels.max() > 1:
        raise ShapeError(
            f"A label is {labels.max()}.",
            why="a photo has a label, 1, or has it not, 0.",
            fix="pass a table of 0 and 1.",
        )
    right = ((probabilities >= 0) & (probabilities <= 1)).all(axis=1)
    if not right.all():
        raise CheckpointError(
            f"{int((~right).sum())} of {len(labels)} photos got answers that are no probabilities.",
            why="they are not numbers between 0 and 1: the weights went out of bounds in training, "
            "or these are logits.",
            fix="train again with a lower peak learning rate; pass sigmoid(logits), not logits.",
        )
