"""What a score on several labels means, in plain sentences that the numbers allow.

    gap   share of training photos with all labels right − the same of test photos; named only if 0
          lies outside its 95 % interval

The verdict is the first of these that holds:

    nothing       all labels right no more often than the most frequent combination, and single
                  labels no more often than their more frequent answers
    memorised     gap of 15 points or more, its interval above 5 points
    unsure        some label has fewer than 30 test photos with it or without it
    partly        some label is told no better than by always giving the more frequent answer
    over-fitting  gap of 5 points or more
    fine          everything else

The limits are those of `verdict`; they choose words and change no number.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from seethrough.evaluate.interval import Interval, difference, wilson
from seethrough.evaluate.verdict import CLEAR_GAP, FEW_IMAGES, LARGE_GAP, Verdict, trained_photos

if TYPE_CHECKING:
    from seethrough.evaluate.several import LabelScore


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """The numbers that the sentences speak of besides the labels' own."""

    hits: int  # photos of which all labels are right
    images: int
    chance: float
    label_accuracy: float
    train_accuracy: float | None
    train_images: int

    @property
    def gap(self) -> tuple[float, Interval] | None:
        """Training minus test, and its interval; None: not measured, or it may be chance."""
        if self.train_accuracy is None or not self.train_images:
            return None
        hits = round(self.train_accuracy * self.train_images)
        interval = difference(hits, self.train_images, self.hits, self.images)
        if interval.holds(0.0):
            return None
        return self.train_accuracy - self.hits / self.images, interval


def judge(scores: "Sequence[LabelScore]", facts: Facts) -> Verdict:
    """The words for the scores of all labels."""
    sentence, advice = _sentence_and_advice(scores, facts)
    parts = [_gap_sentence(facts), advice]
    return Verdict(
        verdict=sentence,
        explanation=" ".join(part for part in parts if part),
        warnings=_warnings(scores),
    )


def _sentence_and_advice(scores: "Sequence[LabelScore]", facts: Facts) -> tuple[str, str]:
    gap, interval = facts.gap or (0.0, Interval(0.0, 0.0))
    label_chance = sum(score.chance for score in scores) / len(scores)
    beats = wilson(facts.hits, facts.images).low > facts.chance
    if not beats and facts.label_accuracy <= label_chance:
        return (
            "It has not learned to tell the labels.",
            "It is no better than always giving the most frequent answer. Train for more epochs, "
            "or look whether the labels belong to these photos.",
        )
    if gap >= LARGE_GAP and interval.low >= CLEAR_GAP:
        return (
            "It remembers its training photos better than it knows the labels.",
            "This is over-fitting. More and more varied photos help most.",
        )
    if _few(scores, facts.images):
        return (
            "It seems to have learned labels, but there are too few test photos to be sure.",
            f"Set more photos aside: at least {FEW_IMAGES} with and {FEW_IMAGES} without each.",
        )
    poor = [score.label for score in scores if score.accuracy <= score.chance]
    if poor:
        return (
            f"It has learned only some of the labels: not {_names(poor)}.",
            "For these it is right no more often than by always giving the more frequent answer; "
            "their average precision says whether it ranks photos at all.",
        )
    if gap >= CLEAR_GAP:
        return (
            "It has learned the labels, but it is better on the photos it trained on.",
            "This is some over-fitting: more photos would help more than longer training.",
        )
    return ("It has learned the labels.", "")


def _few(scores: "Sequence[LabelScore]", images: int) -> list[str]:
    return [s.label for s in scores if min(s.images, images - s.images) < FEW_IMAGES]


def _gap_sentence(facts: Facts) -> str:
    if facts.train_accuracy is None:
        return ""
    photos = trained_photos(facts.train_images)
    there = f"All labels are right on {_percent(facts.train_accuracy)} of {photos}"
    if facts.gap is None:
        here = _percent(facts.hits / facts.images)
        return f"{there} and on {here} of new ones: no gap between the two can be claimed."
    gap, _ = facts.gap
    more = "more" if gap > 0 else "less"
    return f"{there}, {100 * abs(gap):.1f} points {more} than on new ones."


def _warnings(scores: "Sequence[LabelScore]") -> tuple[str, ...]:
    found = []
    if absent := [score.label for score in scores if score.images == 0]:
        found.append(f"No test photo shows {_names(absent)}: nothing is known about it.")
    if few := [score.label for score in scores if 0 < score.images < FEW_IMAGES]:
        found.append(
            f"Fewer than {FEW_IMAGES} test photos show {_names(few)}: scores of single labels are "
            "rough."
        )
    if unsaid := [score.label for score in scores if score.images and not score.said]:
        found.append(f"It never said {_names(unsaid)}, though test photos show it.")
    return tuple(found)


def _names(names: Sequence[str]) -> str:
    quoted = [f"“{name}”" for name in names]
    if len(quoted) > 5:
        return f"{', '.join(quoted[:4])} and {len(quoted) - 4} other labels"
    return quoted[0] if len(quoted) == 1 else f"{', '.join(quoted[:-1])} and {quoted[-1]}"


def _percent(share: float) -> str:
    return f"{100 * share:.1f} %"
