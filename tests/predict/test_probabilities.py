"""probabilities.py against its formula; and a network that was asked is as it was before."""

import math
from fractions import Fraction

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import nn

from seethrough.errors import ShapeError
from seethrough.model.build import build
from seethrough.model.presets import preset
from seethrough.predict.probabilities import Ending, answers, judge, probabilities, softmax

IMAGES = np.random.default_rng(0).integers(0, 256, (7, 32, 32, 3), dtype=np.uint8)


def _network(name: str = "demo") -> nn.Module:
    spec = preset(name, image_px=32)
    network = build(spec, num_classes=5, mean=(0.5,) * 3, std=(0.25,) * 3, seed=1)
    with torch.no_grad():  # running means that are not those of a new network
        network(torch.from_numpy(IMAGES.transpose(0, 3, 1, 2).copy()))
    return network


def test_logits_are_what_the_network_answers_in_evaluation_mode():
    network = _network()
    with torch.no_grad():
        pixels = torch.from_numpy(IMAGES.astype(np.float32).transpose(0, 3, 1, 2).copy())
        expected = network.eval()(pixels).numpy()
    np.testing.assert_array_equal(answers(network.train(), IMAGES), expected)


@given(st.lists(st.floats(-1e4, 1e4, width=32), min_size=2, max_size=6))
def test_probabilities_are_exponentials_by_their_sum(values):
    said = softmax(np.array([values], dtype=np.float32))[0]
    # The formula with rational numbers, each exponential rounded once.
    powers = [Fraction(math.exp(value - max(values))) for value in values]
    exact = [float(power / sum(powers)) for power in powers]
    assert said.dtype == np.float32
    np.testing.assert_allclose(said, exact, rtol=1e-6, atol=1e-37)
    assert math.fsum(map(float, said)) == pytest.approx(1, abs=1e-6)


def test_huge_logits_give_probabilities_and_not_nan():
    np.testing.assert_array_equal(
        softmax(np.array([[3e38, 0.0, -3e38]], dtype=np.float32)), [[1, 0, 0]]
    )


def test_what_a_network_with_softmax_answers_is_passed_on_as_it_is():
    whole = nn.Sequential(_network("lenet-5"), nn.Softmax(dim=1))
    said = probabilities(whole, IMAGES, ending=Ending.PROBABILITIES)
    np.testing.assert_array_equal(said, answers(whole, IMAGES))
    alone = judge(whole, IMAGES[2], ending=Ending.PROBABILITIES)
    np.testing.assert_allclose(alone, said[2], rtol=1e-5)


def test_an_image_judged_alone_gets_the_same_bits_whatever_is_asked_before():
    network = _network()
    alone = [judge(network, image) for image in IMAGES]
    probabilities(network, IMAGES)
    for image, first in zip(IMAGES[::-1], alone[::-1], strict=True):
        np.testing.assert_array_equal(judge(network, image), first)


def test_the_number_of_threads_changes_no_bit_of_an_image_judged_alone():
    # Its dense layer adds up 1,690 products for each class: split over threads, in another order.
    spec = preset("tiny-vgg")
    network = build(spec, num_classes=5, mean=(0.5,) * 3, std=(0.25,) * 3, seed=1)
    images = np.random.default_rng(0).integers(0, 256, (3, 64, 64, 3), dtype=np.uint8)
    threads = torch.get_num_threads()
    said = []
    try:
        for count in (1, 2, 5, 8):
            torch.set_num_threads(count)
            said.append([judge(network, image) for image in images])
            assert torch.get_num_threads() == count
    finally:
        torch.set_num_threads(threads)
    for each in said[1:]:
        np.testing.assert_array_equal(each, said[0])


@pytest.mark.parametrize("batch", [1, 3, 7, 100])
def test_batches_agree_with_single_images_to_the_last_digits(batch):
    network = _network()
    alone = np.stack([judge(network, image) for image in IMAGES])
    together = probabilities(network, IMAGES, batch=batch)
    np.testing.assert_allclose(together, alone, rtol=1e-4, atol=1e-6)
    assert together.dtype == np.float32


def test_read_only_and_sliced_images_are_judged_like_copies():
    network = _network()
    frozen = IMAGES.copy()
    frozen.flags.writeable = False
    np.testing.assert_array_equal(answers(network, frozen), answers(network, IMAGES))
    mirrored = IMAGES[:, :, ::-1]
    np.testing.assert_array_equal(answers(network, mirrored), answers(network, mirrored.copy()))


def test_every_part_of_the_network_gets_its_mode_back_also_after_an_error():
    network = _network()
    network.train()
    network.norm2.eval()
    before = [part.training for part in network.modules()]
    state = {name: tensor.clone() for name, tensor in network.state_dict().items()}
    judge(network, IMAGES[0])
    assert [part.training for part in network.modules()] == before
    with pytest.raises(RuntimeError, match=r"shape|size"):
        judge(network, IMAGES[0, :9, :9])
    assert [part.training for part in network.modules()] == before
    for name, tensor in network.state_dict().items():
        assert torch.equal(tensor, state[name])
    assert all(tensor.grad is None for tensor in network.parameters())


class _Pair(nn.Module):
    def forward(self, images):
        return images, images


def test_a_network_that_does_not_answer_with_a_row_for_an_image_is_refused():
    with pytest.raises(ShapeError, match=r"answers 7 images with shape \(7, 3, 32, 32\)"):
        answers(nn.Identity(), IMAGES)
    with pytest.raises(ShapeError, match=r"answers 7 images with .*tuple"):
        answers(_Pair(), IMAGES)


def test_no_image_at_all_is_refused():
    with pytest.raises(ShapeError, match="no image to judge"):
        probabilities(_network(), IMAGES[:0])
