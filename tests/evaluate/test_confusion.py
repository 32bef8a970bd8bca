"""confusion.py and scores.py against plain counting and against scikit-learn's own scores."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import precision_recall_fscore_support

from seethrough.evaluate.confusion import matrix, most_confused, outstanding_pair
from seethrough.evaluate.scores import per_class

CLASSES = ("ant", "bee", "cat", "dog")


@st.composite
def judged(draw):
    """What some photos show and what was said, classes that never occur included."""
    num = draw(st.integers(1, 60))
    ids = st.lists(st.integers(0, draw(st.integers(0, 3))), min_size=num, max_size=num)
    return np.array(draw(ids)), np.array(draw(ids))


@given(judged())
def test_each_cell_counts_its_photos(photos):
    labels, predicted = photos
    counts = matrix(labels, predicted, len(CLASSES))
    for row in range(4):
        for column in range(4):
            pairs = zip(labels, predicted, strict=True)
            assert counts[row, column] == sum(pair == (row, column) for pair in pairs)


@given(judged())
def test_scores_are_those_of_scikit_learn_and_none_where_it_has_nothing_to_divide_by(photos):
    labels, predicted = photos
    scores = per_class(matrix(labels, predicted, 4), CLASSES)
    theirs = precision_recall_fscore_support(
        labels, predicted, labels=range(4), zero_division=np.nan
    )
    for score, precision, recall, f1, images in zip(scores, *theirs, strict=True):
        ours = (score.precision, score.recall, score.f1)
        for own, other in zip(ours, (precision, recall, f1), strict=True):
            assert own == (None if np.isnan(other) else pytest.approx(other))
        assert score.images == images


@given(judged())
def test_confusions_are_all_wrong_photos_most_frequent_first(photos):
    labels, predicted = photos
    counts = matrix(labels, predicted, 4)
    found = most_confused(counts, CLASSES, limit=12)
    assert sum(each.images for each in found) == np.sum(labels != predicted)
    assert [each.images for each in found] == sorted((e.images for e in found), reverse=True)
    for each in found:
        row, column = CLASSES.index(each.label), CLASSES.index(each.predicted)
        assert row != column
        assert counts[row, column] == each.images


def test_at_most_ten_confusions_are_listed():
    counts = np.ones((6, 6), dtype=np.int64)
    assert len(most_confused(counts, "abcdef")) == 10


@given(judged())
def test_a_class_is_most_often_taken_for_the_one_it_is_most_confused_with(photos):
    labels, predicted = photos
    for index, score in enumerate(per_class(matrix(labels, predicted, 4), CLASSES)):
        wrong = [CLASSES[said] for said in predicted[labels == index] if said != index]
        if not wrong:
            assert (score.most_often_taken_for, score.taken_for_count) == (None, 0)
        else:
            assert score.taken_for_count == max(wrong.count(name) for name in CLASSES)
            assert wrong.count(score.most_often_taken_for) == score.taken_for_count


def test_a_pair_that_leads_by_far_is_named():
    counts = np.array([[80, 30, 2, 1], [25, 70, 1, 3], [2, 1, 90, 2], [1, 2, 2, 95]])
    pair = outstanding_pair(counts, CLASSES)
    assert (pair.first, pair.second, pair.images, pair.mistakes) == ("ant", "bee", 55, 72)


def test_no_pair_is_named_where_chance_alone_makes_one_lead():
    """Mistakes thrown evenly over six pairs: at most 5 % of the matrices name one."""
    rng = np.random.default_rng(4)
    named = 0
    for _ in range(400):
        counts = np.diag([50] * 4)
        pairs = [(0, 1), (0, 2), (0, 3), (1, 2), (1, 3), (2, 3)]
        for first, second in rng.choice(pairs, size=40):
            counts[first, second] += 1
        named += outstanding_pair(counts, CLASSES) is not None
    assert named <= 0.05 * 400


def test_two_classes_have_no_pair_that_stands_out():
    assert outstanding_pair(np.array([[5, 5], [5, 5]]), ("ant", "bee")) is None
