"""The benchmark's networks of every kind: nothing that `explain` recognises is missing in them."""

import re
from pathlib import Path

import numpy as np
import pytest
import torch
from benchmarks import exactness, kinds

import seethrough.explain
from seethrough.explain import trace
from seethrough.explain.operations.unknown import Unknown
from seethrough.explain.recognition.table import RECOGNISERS
from seethrough.explain.recording import looking
from seethrough.model.make import make
from seethrough.model.presets import preset

EXPLAIN = Path(seethrough.explain.__file__).parent
STUDIO = Path(__file__).parents[2] / "studio" / "src"
# Parts of one equation, which stand in the layer that they belong to: no layers of their own.
INSIDE = {"standardise", "divide", "loss"}


class Calls:
    """Writes down the names of all calls."""

    def __init__(self) -> None:
        self.names: set[str] = set()

    def before(self, tensors, module):
        """Nothing to look at."""

    def after(self, call):
        self.names.add(call.name)

    def left(self, call, inputs, output):
        """Nothing to fold."""


@pytest.fixture(scope="module")
def photo():
    return np.random.default_rng(3).integers(0, 256, (32, 32, 3), dtype=np.uint8)


@pytest.fixture(scope="module")
def traces(photo):
    """One of each, and one of a network that begins as all of a run's do."""
    first = make(
        preset("demo", image_px=32), num_classes=10, mean=(0.5,) * 3, std=(0.25,) * 3, seed=0
    )
    return [trace(first, photo), *(trace(kinds.network(name), photo) for name in kinds.NETWORKS)]


def test_every_function_that_is_recognised_is_called_in_one_of_them(photo):
    pixels = torch.from_numpy(photo).permute(2, 0, 1)[None].float()
    calls = Calls()
    for name in kinds.NETWORKS:
        module = kinds.network(name)
        with looking(module, calls):
            module(pixels)
    called = {RECOGNISERS[name] for name in calls.names & RECOGNISERS.keys()}
    missing = {name for name, how in RECOGNISERS.items() if how not in called}
    assert missing == {"logsigmoid"}  # which the framework itself calls log_sigmoid


def test_every_kind_that_the_code_names_is_in_one_of_them(traces):
    """As they stand in the source: kind="…", kind: ClassVar[str] = "…", _curve("…", …)."""
    code = "\n".join(path.read_text(encoding="utf-8") for path in EXPLAIN.rglob("*.py"))
    named = re.findall(r'\bkind(?:: ClassVar\[str\])? ?= ?"(\w+)"', code)
    named += re.findall(r'_curve\("(\w+)"', code)
    named += re.findall(r'_applied\(asked, "(\w+)"', code)
    for either in re.findall(r'kind = "(\w+)" if .*? else "(\w+)"', code):
        named += either
    wanted = set(named) - INSIDE - {Unknown.kind}
    assert wanted > {"conv", "dense", "norm", "relu", "global_max_pool", "pad", "add", "softmax"}
    found = {layer.kind for traced in traces for layer in traced.layers}
    assert found >= wanted


def test_every_function_of_one_number_is_one_to_the_studio():
    """Else it would be drawn as if each of its units read all units."""
    code = (EXPLAIN / "recognition" / "pointwise.py").read_text(encoding="utf-8")
    named = set(re.findall(r'(?:_curve\(|_applied\(asked, )"(\w+)"', code))
    assert named > {"gelu", "softsign", "logsigmoid"}
    kinds_there = (STUDIO / "network" / "kinds.ts").read_text(encoding="utf-8")
    assert named <= set(re.findall(r"'(\w+)'", kinds_there.partition("]);")[0]))


def test_none_of_their_layers_is_a_box(traces):
    assert all(layer.known for traced in traces for layer in traced.layers)


def test_what_makes_a_convolution_another_arithmetic_stands_in_a_row_of_its_own(traces):
    rows = {exactness.kind_of(layer) for traced in traces for layer in traced.layers}
    assert rows >= {
        *("conv", "conv, depthwise", "conv, in groups", "conv, dilated", "conv, 1 × 1"),
        *("conv, with a stride", "pad, constant", "pad, reflect", "pad, replicate"),
        *("pad, circular", "dropout, off", "dropout, with its mask", *exactness.NORMS.values()),
    }


@pytest.mark.parametrize(
    "name",
    [
        "joins",
        *(pytest.param(name, marks=pytest.mark.full) for name in kinds.NETWORKS if name != "joins"),
    ],
)
def test_activations_gradients_and_learned_numbers_of_each_hold(name):
    found = {sort: exactness.Worst() for sort in exactness.SORTS}
    for check in exactness.checks(kinds.network(name), 40):
        found[exactness.filed(check)[1]].add(check, name)
    for sort, bar in (("forward", 1e-6), ("backward", 1e-5), ("learned", 1e-4)):
        assert found[sort].values > 2
        assert found[sort].difference < bar, found[sort].place
        assert found[sort].wrong == 0
