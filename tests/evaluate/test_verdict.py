"""verdict.py says what the numbers allow and no more."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from seethrough.data.dataset import MOST_TRAINED
from seethrough.evaluate.interval import difference
from seethrough.evaluate.verdict import judge

CLASSES = ("cat", "dog", "fox")


def balanced(right, images):
    """A confusion matrix of three classes: `right` hits of `images` in each, the rest spread."""
    wrong = images - right
    counts = np.diag([right] * 3)
    for row in range(3):
        counts[row, (row + 1) % 3] += wrong // 2
        counts[row, (row + 2) % 3] += wrong - wrong // 2
    return counts


def judged(right, images, train_accuracy, train_images=3000):
    return judge(
        balanced(right, images), CLASSES, train_accuracy=train_accuracy, train_images=train_images
    )


@pytest.mark.parametrize(
    ("right", "images", "train_accuracy", "verdict"),
    [
        (900, 1000, 0.92, "It has learned the classes, and it generalises"),
        (900, 1000, 0.99, "It has learned the classes, but it is better on the photos"),
        (700, 1000, 0.99, "It remembers its training photos better than it knows"),
        (500, 1000, 0.52, "It has learned only part"),
        (333, 1000, 0.34, "It has not learned to tell the classes apart"),
        (333, 1000, 0.95, "What it learned from its training photos does not hold"),
        (18, 20, 0.92, "It seems to have learned the classes, but there are too few"),
        (2, 4, 1.0, "Too few test photos to tell it from guessing"),
        (900, 1000, None, "It has learned the classes."),
    ],
)
def test_the_sentence_fits_the_numbers(right, images, train_accuracy, verdict):
    assert judged(right, images, train_accuracy).verdict.startswith(verdict)


@pytest.mark.parametrize(
    ("right", "train_accuracy", "helps"),
    [
        (700, 0.99, "over-fitting. More and more varied photos help most"),
        (500, 0.52, "under-fitting. Train for more epochs"),
        (333, 0.34, "learning rate, and look whether the photos are in the right folders"),
    ],
)
def test_the_explanation_says_what_would_help(right, train_accuracy, helps):
    assert helps in judged(right, 1000, train_accuracy).explanation


def test_the_gap_is_told_with_its_uncertainty():
    low, high = difference(2910, 3000, 2700, 3000)
    explanation = judged(900, 1000, 0.97).explanation
    assert f"7.0 points more than on new ones (95 % sure: between {100 * low:.1f} and " in (
        explanation
    )
    assert f"{100 * high:.1f}): a clear gap." in explanation


def test_where_only_some_of_the_training_photos_were_judged_their_number_is_said():
    assert "On 15,000 of its training photos it is" in (
        judged(900, 1000, 0.97, train_images=MOST_TRAINED).explanation
    )
    assert "On its training photos it is" in judged(900, 1000, 0.97).explanation


@given(right=st.integers(0, 300), images=st.integers(1, 300), train_hits=st.integers(0, 500))
def test_a_gap_smaller_than_its_uncertainty_is_no_gap(right, images, train_hits):
    right = min(right, images)
    said = judged(right, images, train_hits / 500, train_images=500)
    low, high = difference(train_hits, 500, 3 * right, 3 * images)
    is_unclear = low <= 0 <= high
    assert ("no gap between the two can be claimed" in said.explanation) == is_unclear
    assert ("over-fitting" in said.explanation) <= (not is_unclear)


def test_two_samples_of_one_truth_are_seldom_called_a_gap():
    """400 repetitions with true accuracy 0.8 on both sides: at most about 5 % see a gap."""
    rng = np.random.default_rng(11)
    alarms = 0
    for train_hits, test_hits in zip(
        rng.binomial(600, 0.8, 400), rng.binomial(300, 0.8, 400), strict=True
    ):
        counts = np.diag([test_hits, 0]) + np.array([[0, 0], [300 - test_hits, 0]])
        said = judge(counts, ("a", "b"), train_accuracy=train_hits / 600, train_images=600)
        alarms += "no gap" not in said.explanation
    assert alarms <= 30  # 20 expected, standard deviation 4.4


def test_few_test_photos_are_named_with_the_width_of_the_interval():
    counts = np.array([[10, 1, 0], [1, 40, 2], [0, 1, 45]])
    (warning,) = judge(counts, CLASSES, train_accuracy=0.95, train_images=500).warnings
    assert "Fewer than 30 test photos of “cat”: the true accuracy may lie anywhere" in warning


def test_classes_without_test_photos_and_classes_never_said_are_named():
    counts = np.array([[40, 5, 0], [45, 3, 0], [0, 0, 0]])
    said = judge(counts, CLASSES, train_accuracy=None, train_images=0)
    assert said.warnings == ("No test photo shows “fox”: nothing is known about it.",)
    counts = np.array([[40, 0, 5], [45, 0, 3], [0, 0, 40]])
    said = judge(counts, CLASSES, train_accuracy=None, train_images=0)
    assert said.warnings == ("It never said “dog”, though test photos show it.",)


def test_many_names_are_counted():
    names = tuple(f"class {number}" for number in range(9))
    (warning,) = judge(np.eye(9, dtype=int), names, train_accuracy=None, train_images=0).warnings
    assert "“class 0”, “class 1”, “class 2”, “class 3” and 5 other classes" in warning


def test_a_test_set_of_one_class_says_little():
    counts = np.array([[50, 0, 0], [0, 0, 0], [0, 0, 0]])
    said = judge(counts, CLASSES, train_accuracy=1.0, train_images=50)
    assert said.verdict == "All test photos show “cat”, so the score says little."


def test_only_what_is_whole_is_shown_as_whole():
    said = judge(
        np.array([[99_999, 1], [0, 100_000]]), ("a", "b"), train_accuracy=1.0, train_images=10
    )
    assert "On its training photos it is right 100 % of the time, on new ones 99.9 %, which" in (
        said.explanation
    )


@given(
    cells=st.lists(st.integers(0, 40), min_size=9, max_size=9).filter(any),
    train_accuracy=st.one_of(st.none(), st.floats(0, 1)),
)
def test_whatever_was_counted_there_is_one_short_sentence(cells, train_accuracy):
    counts = np.array(cells).reshape(3, 3)
    said = judge(counts, CLASSES, train_accuracy=train_accuracy, train_images=100)
    assert said.verdict.endswith(".")
    assert said.verdict.count(".") == 1
    assert len(said.verdict) <= 90
    assert "  " not in said.explanation
