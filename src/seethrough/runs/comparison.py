"""What the second of two runs learned differently from the first.

    settings        what they were told differently; what each cost
    paired          accuracy on the test photos that both set aside, with a paired interval
    disagreements   the test photos of which they name different classes
    layers          matched unit by unit on PHOTOS of these photos: correlation and distance

A side is a run as it is now, or at one of its moments. What cannot be compared is said in `notes`
and nothing is made up for it. Needs torch.
"""

import dataclasses
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float32, Int64, UInt8

from seethrough.classifier import Classifier
from seethrough.data.dataset import Dataset, Split
from seethrough.data.load import original
from seethrough.errors import RunError
from seethrough.evaluate.paired import Paired, paired
from seethrough.explain.answers import Answers, answers
from seethrough.explain.compare import LayerDifference, layer_differences, most_different
from seethrough.explain.matching import Matching, match_answers
from seethrough.explain.pairing import Alone
from seethrough.explain.trace import Trace
from seethrough.model.mode import one_thread
from seethrough.runs.common import Common, common
from seethrough.runs.folder import Run, open_run
from seethrough.runs.settings import Cost, Setting, cost, differing
from seethrough.runs.several import one_label

PHOTOS = 64  # on which units are matched
LARGE_PX = 64
LARGE_PHOTOS = 16  # where photos are larger than that: they have cells enough


@dataclass(frozen=True, slots=True, kw_only=True)
class Side:
    """A run, opened; with a step as it was at that moment."""

    run: Run
    dataset: Dataset
    classifier: Classifier
    step: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What a network says of one photo."""

    label: str
    probability: float
    of_label: float  # the probability of what the photo shows; 0 for a class that it does not know


@dataclass(frozen=True, slots=True, kw_only=True)
class Disagreement:
    """A test photo of which the two name different classes."""

    photo: str  # its id in the first run
    other_photo: str  # and in the second
    path: str
    label: str
    first: Answer
    second: Answer

    @property
    def right(self) -> str:
        """Who names it right: first, second or neither."""
        if self.first.label == self.label:
            return "first"
        return "second" if self.second.label == self.label else "neither"


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """Both networks on the photos that both set aside."""

    paired: Paired | None  # None: there are none
    disagreements: tuple[Disagreement, ...]  # where they differ most on the true class first
    notes: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Matched:
    """The units of both networks, matched, and the traces of one photo."""

    matching: Matching
    layers: tuple[LayerDifference, ...]  # in the network's order
    first: Trace
    second: Trace


@dataclass(frozen=True, slots=True, kw_only=True)
class Compared:
    """One side of a comparison, in short."""

    run: str
    step: int | None
    network: str
    cost: Cost


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """What two runs have in common and what not; `to_dict` is what `compare --json` prints."""

    first: Compared
    second: Compared
    settings: tuple[Setting, ...]
    paired: Paired | None
    disagreements: tuple[Disagreement, ...]
    layers: tuple[LayerDifference, ...]  # the least alike first
    alone: tuple[Alone, ...]  # layers without a partner
    photos: int  # on which units were matched
    notes: tuple[str, ...]

    def to_dict(self) -> dict[str, Any]:
        """Names and plain values."""
        values = dataclasses.asdict(self)
        values["paired"] = None if self.paired is None else self.paired.to_dict()
        for told, one in zip(values["disagreements"], self.disagreements, strict=True):
            told["right"] = one.right
        return {name: list(v) if isinstance(v, tuple) else v for name, v in values.items()}


def compare(
    first: Run | str | Path,
    second: Run | str | Path,
    *,
    first_step: int | None = None,
    second_step: int | None = None,
    runs_dir: Path | None = None,
) -> Comparison:
    """What the second run learned differently; with a step, a run as it was at that moment."""
    one, other = (
        run if isinstance(run, Run) else open_run(run, runs_dir) for run in (first, second)
    )
    dataset = one.dataset()
    is_same = one.manifest.dataset == other.manifest.dataset
    sides = (
        side(one, dataset, first_step),
        side(other, dataset if is_same else other.dataset(), second_step),
    )
    judgement, found = judged(*sides), matched(*sides)
    return Comparison(
        first=_short(sides[0]),
        second=_short(sides[1]),
        settings=differing(one.manifest, other.manifest),
        paired=judgement.paired,
        disagreements=judgement.disagreements,
        layers=most_different(found.layers),
        alone=found.matching.alone,
        photos=found.matching.photos,
        notes=judgement.notes,
    )


def side(run: Run, dataset: Dataset, step: int | None = None) -> Side:
    """A run with its network as it is now, or was at a moment."""
    classifier = run.classifier if step is None else run.classifier_at(step)
    return Side(run=run, dataset=dataset, classifier=classifier, step=step)


def _one_label_each(first: Side, second: Side) -> None:
    for each in (first, second):
        one_label(each.run, "A comparison")


def judged(first: Side, second: Side) -> Judged:
    """Who is right where."""
    _one_label_each(first, second)
    shared = common(first.dataset, second.dataset)
    if not len(shared.labels):
        note = "There is no test photo that both set aside: their accuracies cannot be compared."
        return Judged(paired=None, disagreements=(), notes=(*shared.notes, note))
    told = [
        _in_classes(_said(each, index), shared, each.dataset)
        for each, index in ((first, shared.first), (second, shared.second))
    ]
    answers = told[0].argmax(axis=1), told[1].argmax(axis=1)
    of_label = [rows[np.arange(len(rows)), shared.labels] for rows in told]
    apart = np.flatnonzero(answers[0] != answers[1])
    order = apart[np.argsort(-np.abs(of_label[1] - of_label[0])[apart], kind="stable")]
    return Judged(
        paired=paired(*answers, shared.labels),
        disagreements=tuple(
            _disagreement(first.dataset, shared, (told[0], told[1]), int(row)) for row in order
        ),
        notes=shared.notes,
    )


def matched(first: Side, second: Side) -> Matched:
    """The units matched on photos spread evenly over those that both set aside."""
    _one_label_each(first, second)
    pairs = list(_photo_pairs(first, second))
    one, other = (
        side.classifier.trace(image) for side, image in zip((first, second), pairs[-1], strict=True)
    )
    # at two moments of one run a unit is itself, whatever it does by then
    matching = match_answers(
        one,
        other,
        zip(_answers(first, pairs, 0), _answers(second, pairs, 1), strict=True),
        is_one_network=first.run.id == second.run.id,
    )
    return Matched(
        matching=matching,
        layers=layer_differences(one, other, matching),
        first=one,
        second=other,
    )


def _answers(
    side: Side, pairs: Sequence[tuple[UInt8[np.ndarray, "..."], ...]], place: int
) -> Iterator[Answers]:
    """What the network of a side says to its photo of each pair."""
    images = (side.classifier.fitted(pair[place]).pixels for pair in pairs)
    found = answers(side.classifier.module, images)
    while True:
        with one_thread():  # as for `trace`; others may compute between two photos
            answer = next(found, None)
        if answer is None:
            return
        yield answer


# ---------------------------------------------------------------- photos


def _photo_pairs(
    first: Side, second: Side
) -> Iterator[tuple[UInt8[np.ndarray, "h w 3"], UInt8[np.ndarray, "i j 3"]]]:
    """The same photo for both, as each gets it."""
    shared = common(first.dataset, second.dataset)
    size = max(first.classifier.image_px, second.classifier.image_px)
    most = PHOTOS if size <= LARGE_PX else LARGE_PHOTOS
    if len(shared.labels):
        for row in _spread(len(shared.labels), most):
            here, there = int(shared.first[row]), int(shared.second[row])
            yield np.array(first.dataset.images[here]), np.array(second.dataset.images[there])
        return
    own = first.dataset.indices(Split.TEST)
    own = own if len(own) else np.arange(len(first.dataset))
    for row in _spread(len(own), most):
        index = int(own[row])
        content, name = original(first.dataset, index), first.dataset.paths[index]
        fitted = second.classifier.fitted(content, name=name)
        yield np.array(first.dataset.images[index]), fitted.pixels


def _spread(total: int, most: int) -> Int64[np.ndarray, " n"]:
    """Evenly over all of them, the first and the last among them."""
    return np.unique(np.linspace(0, total - 1, min(total, most)).round().astype(np.int64))


def _said(side: Side, index: Int64[np.ndarray, " n"]) -> Float32[np.ndarray, "n k"]:
    """Probabilities of these photos; of a finished run, those of its report."""
    if side.step is None and side.run.summary.is_finished:
        told = side.run.predictions
        row = np.full(len(side.dataset), -1)
        row[told.index] = np.arange(len(told.index))
        if (row[index] < 0).any():
            raise RunError(
                f"{side.run.id} was not asked about all of its test photos.",
                why="its predictions are of other photos than its data set has now.",
                fix=f"make them again: seethrough train --resume {side.run.id}.",
            )
        return np.asarray(told.probabilities[row[index]])
    return side.classifier.probabilities(np.array(side.dataset.images[index]))


def _in_classes(
    said: Float32[np.ndarray, "n k"], shared: Common, dataset: Dataset
) -> Float32[np.ndarray, "n c"]:
    """With a column for every class of either; 0 for those that this network does not know."""
    table = np.zeros((len(said), len(shared.classes)), dtype=np.float32)
    table[:, shared.names(dataset)] = said
    return table


def _disagreement(
    dataset: Dataset,
    shared: Common,
    told: tuple[Float32[np.ndarray, "n c"], Float32[np.ndarray, "n c"]],
    row: int,
) -> Disagreement:
    label = int(shared.labels[row])
    first, second = (
        Answer(
            label=shared.classes[int(rows[row].argmax())],
            probability=float(rows[row].max()),
            of_label=float(rows[row, label]),
        )
        for rows in told
    )
    return Disagreement(
        photo=f"t{shared.first[row]}",
        other_photo=f"t{shared.second[row]}",
        path=dataset.paths[int(shared.first[row])],
        label=shared.classes[label],
        first=first,
        second=second,
    )


def _short(side: Side) -> Compared:
    return Compared(
        run=side.run.id,
        step=side.step,
        network=side.run.manifest.network.text,
        cost=cost(side.run),
    )
