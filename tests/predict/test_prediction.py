"""prediction.py: the fields of a prediction are those of `predict --json`."""

import json

import numpy as np
import pytest

from seethrough.errors import DataError, ShapeError
from seethrough.predict.prediction import prediction, unreadable
from seethrough.serve.wire import PredictionMessage


def test_a_prediction_names_the_most_probable_class():
    shares = np.array([0.25, 0.5, 0.25], dtype=np.float32)
    said = prediction("cup.jpg", ("tea", "espresso", "milk"), shares)
    assert said.label == "espresso"
    assert said.probability == 0.5
    assert said.probabilities == {"tea": 0.25, "espresso": 0.5, "milk": 0.25}
    assert list(said.probabilities) == ["tea", "espresso", "milk"]
    assert str(said) == "cup.jpg: espresso, 50.0%"


def test_of_equally_probable_classes_the_first_is_the_label():
    assert prediction("x", ("a", "b"), np.array([0.5, 0.5], dtype=np.float32)).label == "a"


def test_the_fields_are_those_of_the_server_s_message_and_survive_json():
    shares = np.array([0.1, 0.9], dtype=np.float32)
    said = prediction("ü b.png", ("a", "b"), shares)
    message = PredictionMessage.model_validate(said.to_dict())
    assert message.model_dump(exclude_none=True) == said.to_dict()
    again = json.loads(json.dumps(said.to_dict()))["probabilities"]["a"]
    assert np.float32(again) == shares[0]


def test_an_unreadable_file_keeps_the_three_parts_of_its_error():
    said = unreadable("a.txt", DataError("It is text.", why="w", fix="f"))
    assert said.to_dict() == {
        "path": "a.txt",
        "error": {"what": "It is text.", "why": "w", "fix": "f"},
    }
    assert str(said) == "a.txt: It is text.\nwhy: w\nfix: f"


def test_another_number_of_classes_than_of_probabilities_is_refused():
    with pytest.raises(ShapeError, match="2 probabilities for 3 classes"):
        prediction("x", ("a", "b", "c"), np.array([0.5, 0.5], dtype=np.float32))
