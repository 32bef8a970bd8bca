"""colour.py: the scale of the studio, to the last of 256 levels."""

import json
from pathlib import Path

import numpy as np
import pytest

from seethrough.draw.colour import LIGHT, extent, painted

GOLDEN = json.loads((Path(__file__).parents[1] / "golden" / "colours.json").read_text())


@pytest.mark.parametrize(
    "case", GOLDEN, ids=lambda case: f"{case['value']:g} of {case['extent']:g}"
)
def test_a_number_has_the_colour_that_it_has_in_the_studio(case):
    value = np.array([[case["value"]]], dtype=np.float64)
    assert painted(value, float(case["extent"]))[0, 0].tolist() == case["colour"]


def test_zero_is_paper_the_ends_are_the_ends_and_no_number_has_its_own_colour():
    values = np.array([[0.0, 2.0, -2.0, np.nan, np.inf, -np.inf]], dtype=np.float32)
    assert [tuple(colour) for colour in painted(values, 2.0)[0].tolist()] == [
        LIGHT.zero,
        LIGHT.plus,
        LIGHT.minus,
        LIGHT.broken,
        LIGHT.plus,
        LIGHT.minus,
    ]


def test_the_scale_ends_at_the_largest_finite_size():
    assert extent(np.array([1.0, -3.5, np.nan, np.inf])) == 3.5
    assert extent(np.array([np.nan])) == 0
    assert extent(np.empty(0)) == 0
