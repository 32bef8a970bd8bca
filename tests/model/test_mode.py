"""mode.py: whatever happens inside the `with`, flags and thread counts come back."""

import threading

import pytest
import torch
from torch import nn

from seethrough.model.mode import evaluating, one_thread, place_of


class _Stubborn(nn.Module):
    """Counts the calls of `train`, as a module may that does more in it than set a flag."""

    def __init__(self) -> None:
        super().__init__()
        self.inner = nn.Sequential(nn.Dropout(), nn.BatchNorm2d(2))
        self.calls = 0

    def train(self, mode=True):
        self.calls += 1
        return super().train(mode)


def test_every_part_is_in_evaluation_mode_inside_and_as_before_outside():
    module = _Stubborn()
    module.inner[1].training = False
    before = [part.training for part in module.modules()]
    with evaluating(module):
        assert not any(part.training for part in module.modules())
    assert [part.training for part in module.modules()] == before
    with pytest.raises(KeyError, match="inside"), evaluating(module):
        raise KeyError("inside")
    assert [part.training for part in module.modules()] == before
    assert module.calls == 0


def test_one_thread_inside_and_as_many_as_before_outside():
    before = torch.get_num_threads()
    try:
        torch.set_num_threads(3)
        with one_thread():
            assert torch.get_num_threads() == 1
            with one_thread():
                assert torch.get_num_threads() == 1
            assert torch.get_num_threads() == 1
        assert torch.get_num_threads() == 3
        with pytest.raises(KeyError, match="inside"), one_thread():
            raise KeyError("inside")
        assert torch.get_num_threads() == 3
    finally:
        torch.set_num_threads(before)


def test_only_one_python_thread_at_a_time_changes_the_number_of_threads():
    inside, both_were_in = threading.Event(), []

    def look() -> None:
        with one_thread():
            both_were_in.append(inside.is_set())

    with one_thread():
        inside.set()
        other = threading.Thread(target=look)
        other.start()
        other.join(timeout=0.2)
        assert other.is_alive()
        inside.clear()
    other.join()
    assert both_were_in == [False]


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_a_network_s_place_is_that_of_its_numbers(dtype):
    assert place_of(nn.Linear(2, 2).to(dtype)) == (torch.device("cpu"), dtype)
    assert place_of(nn.ReLU()) == (torch.device("cpu"), torch.float32)
    counting = nn.Module()
    counting.register_buffer("count", torch.zeros(1, dtype=torch.int64))
    assert place_of(counting) == (torch.device("cpu"), torch.float32)
