"""report.py: every number against a second count, every field against the server's message."""

import json
import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import accuracy_score, log_loss

from seethrough.errors import CheckpointError, DataError, ShapeError
from seethrough.evaluate import Report, evaluate, wilson
from seethrough.serve.wire import ReportMessage

CLASSES = ("cup", "espresso machine", "鳥", "n°4")


@st.composite
def judged(draw):
    """Probabilities as a network gives them, and labels."""
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    num = draw(st.integers(1, 200))
    # steeper ones pass 2e-16, where scikit-learn cuts probabilities off
    logits = rng.normal(scale=draw(st.floats(0.1, 3)), size=(num, 4)).astype(np.float32)
    powers = np.exp(logits - logits.max(axis=1, keepdims=True))
    return powers / powers.sum(axis=1, keepdims=True), rng.integers(4, size=num)


@given(judged())
def test_numbers_are_those_of_a_second_count(photos):
    probabilities, labels = photos
    report = evaluate(probabilities, labels, CLASSES)
    said = probabilities.argmax(axis=1)
    assert report.accuracy == accuracy_score(labels, said)
    assert report.interval == wilson(int(sum(labels == said)), len(labels))
    assert report.chance == max(np.mean(labels == label) for label in range(4))
    assert sum(map(sum, report.confusion)) == report.images == len(labels)
    exact = probabilities.astype(np.float64)
    exact /= exact.sum(axis=1, keepdims=True)
    assert report.loss == pytest.approx(log_loss(labels, exact, labels=range(4)), rel=1e-5)


@given(judged(), st.one_of(st.none(), st.floats(0, 1)))
def test_the_report_is_the_servers_message_and_survives_json(photos, train_accuracy):
    report = evaluate(*photos, CLASSES, train_accuracy=train_accuracy, train_images=800)
    stored = json.dumps(report.to_dict(), allow_nan=False)
    assert Report.from_dict(json.loads(stored)) == report
    assert ReportMessage.model_validate_json(stored).model_dump() == json.loads(stored)


def test_a_label_with_probability_0_costs_much_but_not_infinitely_much():
    report = evaluate(np.array([[1, 0]], dtype=np.float32), np.array([1]), ("a", "b"))
    assert report.loss == pytest.approx(87.3, abs=0.1)


def test_printing_tells_the_score_the_verdict_and_one_line_a_class():
    eye = np.eye(4, dtype=np.float32)[[0, 1, 2, 2]]
    shown = str(evaluate(eye, np.array([0, 1, 2, 3]), CLASSES))
    assert shown.startswith("75.0 % right on 4 photos it has never seen")
    assert "espresso machine       1         100.0 %                100.0 %  –" in shown
    assert "n°4                    1           0.0 %                      –  鳥 1" in shown


def test_no_photo_is_no_score():
    with pytest.raises(DataError, match="no test photo"):
        evaluate(np.zeros((0, 4), dtype=np.float32), np.zeros(0, dtype=np.int64), CLASSES)


def test_sizes_that_disagree_are_named():
    with pytest.raises(ShapeError, match="2 × 3 probabilities for 2 photos of 4 classes"):
        evaluate(np.full((2, 3), 1 / 3, dtype=np.float32), np.array([0, 1]), CLASSES)
    with pytest.raises(ShapeError, match="Labels run from 0 to 4; there are 4 classes"):
        evaluate(np.full((2, 4), 1 / 4, dtype=np.float32), np.array([0, 4]), CLASSES)


@pytest.mark.parametrize("cell", [np.nan, np.inf, -0.5, 3.0])
def test_what_is_no_probability_is_refused(cell):
    bad = np.full((3, 4), 1 / 4, dtype=np.float32)
    bad[1, 2] = cell
    with pytest.raises(CheckpointError, match="1 of 3 photos got answers that are no prob"):
        evaluate(bad, np.array([0, 1, 2]), CLASSES)


def test_judging_needs_no_torch():
    code = "import seethrough.evaluate, sys; sys.exit('torch' in sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True)
