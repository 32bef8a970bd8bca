"""several.py against scikit-learn, and against counting by hand."""

import warnings

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import average_precision_score, precision_recall_fscore_support

from seethrough.errors import CheckpointError, DataError, ShapeError
from seethrough.evaluate import SeveralReport, evaluate_several
from seethrough.evaluate.several_table import macro_lines

NAMES = ("a", "b", "c")


def made(seed: int, images: int = 60, noise: float = 0.5) -> tuple[np.ndarray, np.ndarray]:
    """Probabilities that know something of the labels, rounded so that some are equal."""
    random = np.random.default_rng(seed)
    labels = (random.random((images, 3)) < [0.2, 0.5, 0.7]).astype(np.uint8)
    said = np.clip(0.5 + 0.3 * (labels - 0.5) + noise * random.normal(size=labels.shape), 0, 1)
    return np.round(said, 1).astype(np.float32), labels


@settings(deadline=None, max_examples=25)
@given(st.integers(0, 10_000))
def test_the_scores_of_each_label_are_scikit_learns(seed):
    said, labels = made(seed)
    report = evaluate_several(said, labels, NAMES)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        precision, recall, f1, shown = precision_recall_fscore_support(labels, said >= 0.5)
        average = [average_precision_score(labels[:, c], said[:, c]) for c in range(3)]
    for c, score in enumerate(report.per_label):
        assert score.images == shown[c]
        assert score.precision is None or score.precision == pytest.approx(precision[c])
        assert score.recall == pytest.approx(recall[c])
        assert score.f1 == pytest.approx(f1[c])
        assert score.average_precision == pytest.approx(average[c])
    assert report.macro["average_precision"].value == pytest.approx(np.mean(average))
    assert report.macro["f1"].value == pytest.approx(np.mean(f1))


def test_shares_are_counted_photo_by_photo():
    said, labels = made(1)
    whole = single = 0
    for row, truth in zip(said, labels, strict=True):
        same = [(p >= 0.5) == (y == 1) for p, y in zip(row, truth, strict=True)]
        whole, single = whole + all(same), single + sum(same)
    report = evaluate_several(said, labels, NAMES)
    assert report.accuracy == whole / 60
    assert report.label_accuracy == pytest.approx(single / 180)
    combinations = [tuple(row) for row in labels.tolist()]
    assert report.chance == max(map(combinations.count, combinations)) / 60
    constant = [max(np.mean(column), 1 - np.mean(column)) for column in labels.T]
    assert report.label_chance == pytest.approx(np.mean(constant))


def test_the_loss_is_that_of_each_answer():
    said, labels = made(2)
    terms = [
        -np.log(max(float(p) if y else 1 - float(p), 1.1754943508222875e-38))
        for row, truth in zip(said, labels, strict=True)
        for p, y in zip(row, truth, strict=True)
    ]
    assert evaluate_several(said, labels, NAMES).loss == pytest.approx(np.mean(terms))


def test_a_perfect_network_and_a_label_that_nobody_shows():
    _, labels = made(3)
    labels[:, 1] = 0
    report = evaluate_several(labels.astype(np.float32), labels, NAMES)
    assert report.accuracy == 1
    assert report.per_label[0].average_precision == 1
    nobody = report.per_label[1]
    assert nobody.precision is None
    assert nobody.recall is None
    assert nobody.average_precision is None
    assert report.macro["f1"].value == 1
    assert "No test photo shows “b”" in report.warnings[0]


def test_intervals_hold_the_value_and_narrow_with_more_photos():
    widths = []
    for images in (40, 640):
        report = evaluate_several(*made(4, images), NAMES)
        for mean in report.macro.values():
            assert mean.value is not None
            assert mean.interval is not None
            assert mean.interval[0] <= mean.value <= mean.interval[1]
        interval = report.macro["f1"].interval
        assert interval is not None
        widths.append(interval[1] - interval[0])
    assert widths[1] < widths[0] / 2


def test_where_no_mistake_was_made_no_interval_is_claimed():
    _, labels = made(4, 40)
    report = evaluate_several(labels * 0.98 + 0.01, labels, NAMES)
    assert {mean.value for mean in report.macro.values()} == {1.0}
    assert {mean.interval for mean in report.macro.values()} == {None}
    assert macro_lines(report.macro)[0] == "mean F1: 1.000 (95 %: too few mistakes to tell)"
    assert report.interval[0] < 0.95  # Wilson's knows that 40 are few


def test_the_bootstrap_is_that_of_photos_drawn_one_by_one():
    said, labels = made(5, 200)
    report = evaluate_several(said, labels, NAMES)
    random = np.random.default_rng(7)
    means = []
    for _ in range(400):
        drawn = random.integers(0, 200, 200)
        each = [average_precision_score(labels[drawn, c], said[drawn, c]) for c in range(3)]
        means.append(np.mean(each))
    interval = report.macro["average_precision"].interval
    assert interval == pytest.approx(np.percentile(means, [2.5, 97.5]), abs=0.015)


def test_a_report_is_read_back_as_it_was_written():
    report = evaluate_several(*made(6), NAMES, train_accuracy=0.9, train_images=500)
    assert SeveralReport.from_dict(report.to_dict()) == report


def test_the_words_follow_the_numbers():
    said, labels = made(8, 400, noise=0.02)
    assert evaluate_several(said, labels, NAMES).verdict == "It has learned the labels."
    constant = np.tile(np.array([0.1, 0.4, 0.9], np.float32), (400, 1))
    assert "has not learned" in evaluate_several(constant, labels, NAMES).verdict
    some = said.copy()
    some[:, 0] = 0.1
    assert "only some of the labels: not “a”" in evaluate_several(some, labels, NAMES).verdict
    noisy, truth = made(9, 400, noise=0.25)
    kept = evaluate_several(noisy, truth, NAMES, train_accuracy=1.0, train_images=400)
    assert "remembers its training photos" in kept.verdict
    few = evaluate_several(said[:50], labels[:50], NAMES)
    assert "too few test photos" in few.verdict


def test_the_text_names_every_label_and_what_it_is_measured_by():
    told = str(evaluate_several(*made(10), NAMES))
    assert "All labels right on" in told
    assert "always saying the commonest combination" in told
    assert all(any(line.startswith(name) for line in told.splitlines()) for name in NAMES)
    assert max(map(len, told.splitlines()[:3])) <= 100


def test_what_cannot_be_judged_is_refused():
    said, labels = made(11)
    with pytest.raises(ShapeError, match="60 × 3 probabilities for 60 × 3 labels of 2 names"):
        evaluate_several(said, labels, NAMES[:2])
    with pytest.raises(ShapeError, match="A label is 2"):
        evaluate_several(said, labels * 2, NAMES)
    with pytest.raises(DataError, match="no test photo"):
        evaluate_several(said[:0], labels[:0], NAMES)
    with pytest.raises(CheckpointError, match="no probabilities"):
        evaluate_several(said * 3, labels, NAMES)
