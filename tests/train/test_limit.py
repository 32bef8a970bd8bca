"""limit.py: counted operations over a measured limit; no test holds a speed against a number."""

import torch
from torch.utils.flop_counter import FlopCounterMode

from seethrough.model.build import build
from seethrough.model.shapes import measure
from seethrough.model.spec import parse
from seethrough.train.limit import matrix_product, share_of_limit


def test_the_operations_of_a_step_are_those_that_torch_counts():
    spec = parse("conv 8 k3 p1, relu, maxpool 2, conv 12 k3, relu, flatten, dense", image_px=16)
    multiply_adds = sum(size.multiply_adds for size in measure(spec, 3))
    network = build(spec, num_classes=3, mean=(0.5,) * 3, std=(0.25,) * 3, seed=0)
    images = torch.zeros(2, 3, 16, 16)
    with FlopCounterMode(display=False) as counted:
        network(images).sum().backward()
    # of the first layer's input no gradient is needed: torch leaves that third product out
    first = measure(spec, 3)[1]
    whole = counted.get_total_flops() / 2 + 2 * first.multiply_adds
    assert share_of_limit(1.0, multiply_adds, 1.0) == whole


def test_a_share_that_nobody_can_know_is_none():
    assert share_of_limit(None, 100, 1e9) is None
    assert share_of_limit(50.0, 0, 1e9) is None
    assert share_of_limit(50.0, 10, 3000.0) == 1


def test_the_limit_is_measured_once_and_leaves_torch_as_it_was():
    state = torch.get_rng_state()
    assert matrix_product() == matrix_product() > 0
    assert torch.equal(torch.get_rng_state(), state)
