"""What the score means, in plain sentences that the numbers allow.

    skill   (accuracy − chance) / (1 − chance): 0 is always saying the most frequent class, 1 is
            never wrong
    gap     training accuracy − test accuracy; named only if 0 lies outside its 95 % interval;
            of many training photos MOST_TRAINED are judged, and its interval knows how many

The verdict is the first of these that holds:

    one class       the test photos all show one class
    few             nothing can be told from chance, and fewer than 30 test photos a class
    nothing         accuracy cannot be told from chance
    memorised       gap of 15 points or more, its interval above 5 points
    under-fitting   skill on training photos below ½
    unsure          fewer than 30 test photos a class
    over-fitting    gap of 5 points or more
    fine            everything else

The limits (30 photos, 5 and 15 points, ½) are ours; they choose words and change no number.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Int

from seethrough.data.dataset import MOST_TRAINED
from seethrough.evaluate.confusion import Pair, outstanding_pair
from seethrough.evaluate.interval import Interval, difference, wilson

FEW_IMAGES = 30
CLEAR_GAP = 0.05
LARGE_GAP = 0.15
HALF_LEARNED = 0.5


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """The words of a report."""

    verdict: str
    explanation: str
    warnings: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Facts:
    """The numbers that the sentences speak of."""

    hits: int
    images: int
    num_classes: int
    most_frequent: str
    chance: float
    interval: Interval
    train_accuracy: float | None
    train_images: int
    gap_interval: Interval | None  # None: training accuracy was not measured
    pair: Pair | None

    @property
    def accuracy(self) -> float:
        return self.hits / self.images

    @property
    def gap(self) -> float:
        """Training minus test accuracy where the two can be told apart, else 0."""
        if self.train_accuracy is None or self.gap_interval is None or self.gap_interval.holds(0.0):
            return 0.0
        return self.train_accuracy - self.accuracy

    @property
    def is_gap_large(self) -> bool:
        surely = self.gap_interval is not None and self.gap_interval.low >= CLEAR_GAP
        return surely and self.gap >= LARGE_GAP

    @property
    def train_skill(self) -> float | None:
        if self.train_accuracy is None or self.chance == 1:
            return None
        return (self.train_accuracy - self.chance) / (1 - self.chance)

    @property
    def has_few(self) -> bool:
        return self.images < FEW_IMAGES * self.num_classes

    @property
    def beats_chance(self) -> bool:
        return self.interval.low > self.chance


def judge(
    counts: Int[np.ndarray, "k k"],
    classes: Sequence[str],
    *,
    train_accuracy: float | None,
    train_images: int,
) -> Verdict:
    """The words for a confusion matrix of test photos, and for the accuracy on training photos."""
    facts = _facts(counts, classes, train_accuracy=train_accuracy, train_images=train_images)
    sentence, advice = _sentence_and_advice(facts)
    parts = [_gap_sentence(facts), _pair_sentence(facts), advice]
    return Verdict(
        verdict=sentence,
        explanation=" ".join(part for part in parts if part),
        warnings=_warnings(counts, classes, facts),
    )


def _facts(
    counts: Int[np.ndarray, "k k"],
    classes: Sequence[str],
    *,
    train_accuracy: float | None,
    train_images: int,
) -> _Facts:
    shown = counts.sum(axis=1)
    hits, images = int(np.trace(counts)), int(counts.sum())
    gap_interval = None
    if train_accuracy is not None and train_images > 0:
        train_hits = round(train_accuracy * train_images)
        gap_interval = difference(train_hits, train_images, hits, images)
    return _Facts(
        hits=hits,
        images=images,
        num_classes=len(classes),
        most_frequent=classes[int(shown.argmax())],
        chance=int(shown.max()) / images,
        interval=wilson(hits, images),
        train_accuracy=train_accuracy,
        train_images=train_images,
        gap_interval=gap_interval,
        pair=outstanding_pair(counts, classes),
    )


def _sentence_and_advice(facts: _Facts) -> tuple[str, str]:
    if facts.chance == 1:
        return (
            f"All test photos show “{facts.most_frequent}”, so the score says little.",
            "Add test photos of the other classes.",
        )
    if not facts.beats_chance:
        return _near_chance(facts)
    if facts.is_gap_large:
        return (
            "It remembers its training photos better than it knows the classes.",
            "This is over-fitting. More and more varied photos help most; a smaller network or "
            "fewer epochs help too.",
        )
    if facts.train_skill is not None and facts.train_skill < HALF_LEARNED:
        return (
            "It has learned only part of what tells the classes apart.",
            "It is often wrong even on the photos it learned from: this is under-fitting. Train "
            "for more epochs, or give the network more units or layers.",
        )
    if facts.has_few:
        return (
            "It seems to have learned the classes, but there are too few test photos to be sure.",
            f"Set more photos aside for testing, at least {FEW_IMAGES} of every class.",
        )
    if facts.gap >= CLEAR_GAP:
        return (
            "It has learned the classes, but it is better on the photos it trained on.",
            "This is some over-fitting: more photos would help more than longer training.",
        )
    return _fine(facts)


def _near_chance(facts: _Facts) -> tuple[str, str]:
    always = f"always saying “{facts.most_frequent}” (right {_percent(facts.chance)} of the time)"
    if facts.has_few:
        return (
            "Too few test photos to tell it from guessing.",
            f"It may be no better than {always}. Set at least {FEW_IMAGES} photos of every "
            "class aside for testing, and train on more.",
        )
    if facts.gap >= CLEAR_GAP:
        return (
            "What it learned from its training photos does not hold for new ones.",
            f"On new photos it is no better than {always}. This is over-fitting: it needs more "
            "and more varied photos. Check too that both sets were sorted in the same way.",
        )
    return (
        "It has not learned to tell the classes apart.",
        f"It is no better than {always}. Train for more epochs; if that does not help, change "
        "the learning rate, and look whether the photos are in the right folders.",
    )


def _fine(facts: _Facts) -> tuple[str, str]:
    if facts.train_accuracy is None:
        return (
            "It has learned the classes.",
            "Whether it remembers its training photos better was not measured.",
        )
    if facts.pair is not None:
        both = f"{facts.pair.first} and {facts.pair.second}"
        return (
            "It has learned the classes, and it generalises.",
            f"More photos of {both} are the first thing to try.",
        )
    if facts.accuracy == 1:
        return ("It has learned the classes, and it generalises.", "")
    return (
        "It has learned the classes, and it generalises.",
        "Longer training or a larger network may still raise both scores.",
    )


def trained_photos(images: int) -> str:
    """Those that were judged, in words."""
    return f"{images:,} of its training photos" if images == MOST_TRAINED else "its training photos"


def _gap_sentence(facts: _Facts) -> str:
    if facts.train_accuracy is None:
        return ""
    share = _percent(facts.train_accuracy)
    on_training = f"On {trained_photos(facts.train_images)} it is right {share} of the time"
    if facts.gap_interval is None or facts.gap == 0:
        is_equal = _percent(facts.accuracy) == _percent(facts.train_accuracy)
        difference = " too" if is_equal else f" {_percent(facts.accuracy)}, which may be chance"
        return f"{on_training}, on new ones{difference}: no gap between the two can be claimed."
    points = _points(abs(facts.train_accuracy - facts.accuracy))
    low, high = sorted((abs(facts.gap_interval.low), abs(facts.gap_interval.high)))
    between = f"(95 % sure: between {_points(low)} and {_points(high)})"
    if facts.gap < 0:
        return (
            f"{on_training}, {points} points less than on new ones {between}: the training photos "
            "are harder, for instance because they are shifted and flipped while it learns."
        )
    size = "large" if facts.is_gap_large else "clear" if facts.gap >= CLEAR_GAP else "small"
    return f"{on_training}, {points} points more than on new ones {between}: a {size} gap."


def _pair_sentence(facts: _Facts) -> str:
    if facts.pair is None:
        return ""
    pair = facts.pair
    return (
        f"The most frequent mistake is {pair.first} for {pair.second} and {pair.second} for "
        f"{pair.first} ({pair.images} of {pair.mistakes} mistakes)."
    )


def _warnings(
    counts: Int[np.ndarray, "k k"], classes: Sequence[str], facts: _Facts
) -> tuple[str, ...]:
    shown, said = counts.sum(axis=1), counts.sum(axis=0)
    found = []
    absent = [name for name, images in zip(classes, shown, strict=True) if images == 0]
    if absent:
        found.append(f"No test photo shows {_names(absent)}: nothing is known about it.")
    few = [name for name, images in zip(classes, shown, strict=True) if 0 < images < FEW_IMAGES]
    if few:
        found.append(
            f"Fewer than {FEW_IMAGES} test photos of {_names(few)}: the true accuracy may lie "
            f"anywhere between {_percent(facts.interval.low)} and {_percent(facts.interval.high)}, "
            "and scores of single classes are rougher still."
        )
    unsaid = [
        name
        for name, times, images in zip(classes, said, shown, strict=True)
        if times == 0 and images > 0
    ]
    if unsaid:
        found.append(f"It never said {_names(unsaid)}, though test photos show it.")
    return tuple(found)


def _names(names: Sequence[str]) -> str:
    """“a”, “b” and 3 other classes: at most five names."""
    quoted = [f"“{name}”" for name in names]
    if len(quoted) > 5:
        return f"{', '.join(quoted[:4])} and {len(quoted) - 4} other classes"
    return quoted[0] if len(quoted) == 1 else f"{', '.join(quoted[:-1])} and {quoted[-1]}"


def _percent(share: float) -> str:
    """0.8585 → 85.9 %; 100 % and 0 % only where nothing is rounded away."""
    shown = f"{100 * share:.1f}"
    if shown == "100.0":
        shown = "100" if share == 1 else "99.9"
    elif shown == "0.0":
        shown = "0" if share == 0 else "0.1"
    return f"{shown} %"


def _points(share: float) -> str:
    return f"{100 * share:.1f}"
