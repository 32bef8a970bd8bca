"""A trace's page in a notebook: what it is given, what it is answered, and when it is shown."""

import json
import subprocess
import sys

import numpy as np
import pytest
import torch
from IPython.core.formatters import DisplayFormatter
from tests.explain.notebook.kernel import Wire, running
from torch import nn

from seethrough.errors import DataError
from seethrough.explain import Trace, trace

PHOTO = np.random.default_rng(7).integers(256, size=(12, 10, 3), dtype=np.uint8)
VIEW = "application/vnd.jupyter.widget-view+json"


@pytest.fixture
def seen() -> Trace:
    torch.manual_seed(0)
    network = nn.Sequential(
        nn.Conv2d(3, 20, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten(), nn.Linear(600, 3)
    )
    return trace(network, PHOTO, classes=["ant", "bee", "cat"])


def test_the_page_is_given_the_photo_and_the_numbers_of_what_it_shows(seen):
    page = seen.widget()
    numbers = np.frombuffer(page.maps, dtype="<f4")
    assert np.array_equal(np.frombuffer(page.pixels, np.uint8).reshape(12, 10, 3), PHOTO)
    ends = []
    for described in page.sheet["layers"]:
        output = seen.layer(described["name"]).output
        wanted = output[described["units"]] if output.ndim == 3 else output
        assert described["shape"] == list(output.shape)
        assert described["extent"] == pytest.approx(np.abs(output).max())
        ends.append(described["first"] + wanted.size)
        assert np.array_equal(numbers[described["first"] : ends[-1]], wanted.ravel())
    assert ends == sorted(ends)
    assert ends[-1] == numbers.size
    assert len(page.sheet["layers"][0]["units"]) == 16  # of 20
    assert page.sheet["probabilities"] == pytest.approx(seen.probabilities.tolist())
    json.dumps(page.sheet, allow_nan=False)


def test_a_cell_is_answered_with_the_digits_of_its_equation(seen):
    with running():
        wire = seen.widget().comm
        assert isinstance(wire, Wire)
        for layer, unit, row, column in [
            ("0", 17, 3, 9),
            ("2", 4, 5, 0),
            ("4", 2, None, None),
            ("softmax", 1, None, None),
        ]:
            asked = {"ask": "equation", "layer": layer, "unit": unit, "row": row, "column": column}
            answer, buffers = wire.asks({"id": 5, **asked})
            assert buffers == []
            assert answer == {
                "id": 5,
                "equation": seen.equation(layer, unit, row, column).to_dict(),
            }
            assert answer["equation"]["adds_up"]


def test_a_unit_that_was_not_sent_comes_as_float32(seen):
    with running():
        wire = seen.widget().comm
        question = {"id": 1, "ask": "map", "layer": "0", "row": None, "column": None}
        for unit in range(20):
            answer, (buffer,) = wire.asks({**question, "unit": unit})
            assert answer == {"id": 1}
            assert np.array_equal(
                np.frombuffer(buffer, "<f4").reshape(12, 10), seen.layer("0").output[unit]
            )


def test_what_does_not_exist_is_refused_in_three_sentences(seen):
    with running():
        wire = seen.widget().comm
        for ask in ("map", "equation"):
            question = {"id": 2, "ask": ask, "layer": "0", "unit": 20, "row": 0, "column": 0}
            answer, _ = wire.asks(question)
            assert answer["error"]["what"] == "0 has no unit 20."
            assert set(answer["error"]) == {"what", "why", "fix"}


def test_what_is_no_number_is_null_and_keeps_its_digits():
    network = nn.Sequential(nn.Conv2d(3, 1, 1, bias=False), nn.Flatten(), nn.Linear(4, 2))
    nn.init.constant_(network[0].weight, torch.inf)
    seen = trace(network, np.zeros((2, 2, 3), np.uint8))
    with running():
        page = seen.widget()
        question = {"id": 3, "ask": "equation", "layer": "0", "unit": 0, "row": 0, "column": 0}
        answer, _ = page.comm.asks(question)
    json.dumps([answer, page.sheet], allow_nan=False)
    assert answer["equation"]["sum"] is None
    assert answer["equation"]["shown_sum"] == "nan"


def test_a_notebook_is_shown_the_page_and_keeps_the_picture_beside_it(seen):
    with running():
        shown, _ = DisplayFormatter().format(seen)
        asked_for, _ = DisplayFormatter().format(seen.widget())
    for bundle in (shown, asked_for):
        assert set(bundle[VIEW]) >= {"model_id"}
        assert bundle["text/html"] == seen._repr_html_()
    assert shown["text/plain"] == repr(seen)


def test_where_no_kernel_carries_messages_the_picture_is_shown(seen):
    shown, _ = DisplayFormatter().format(seen)
    assert VIEW not in shown
    assert shown["text/html"] == seen._repr_html_()
    assert shown["text/plain"] == repr(seen)


WITHOUT = """
import sys
sys.modules["anywidget"] = None  # as if it were not installed
import numpy as np
from torch import nn
from seethrough.explain import trace
seen = trace(nn.Sequential(nn.Flatten(), nn.Linear(12, 2)), np.zeros((2, 2, 3), np.uint8))
assert seen._repr_mimebundle_() == ({}, {})
print(seen._repr_html_()[:4])
try:
    seen.widget()
except ValueError as error:
    print(error)
"""


def test_without_the_extra_the_picture_is_shown_and_the_page_says_what_to_install():
    said = subprocess.run(
        [sys.executable, "-c", WITHOUT], check=True, capture_output=True, text=True
    ).stdout.splitlines()
    assert said[0] == "<div"
    assert said[1] == "The page to click in needs a library that is not installed."
    assert said[2].startswith("why: ")
    assert "seethrough[notebook]" in said[3]


def test_the_missing_library_is_an_error_of_ours(seen, monkeypatch):
    for name in ("anywidget", "seethrough.explain.notebook.widget"):
        monkeypatch.setitem(sys.modules, name, None)
    with pytest.raises(DataError, match="not installed"):
        seen.widget()
