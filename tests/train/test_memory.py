"""memory.py: parts that fit, that are as large as possible, and no parts where none are needed."""

from hypothesis import given
from hypothesis import strategies as st

from seethrough.train.memory import free_bytes, step_bytes, suitable_part
from seethrough.train.recipe import Recipe

counts = st.integers(1, 10**8)


@given(batch=st.integers(2, 4096), numbers=counts, free=st.integers(0, 2**40))
def test_a_part_fits_into_half_of_the_free_memory_and_twice_as_much_would_not(batch, numbers, free):
    part = suitable_part(batch, numbers, free)
    Recipe(batch=batch, micro_batch=part)  # is one that a recipe takes
    if part == 0:
        assert 2 * step_bytes(batch, numbers) <= free
    else:
        assert 2 * step_bytes(batch, numbers) > free
        assert part == 2 or 2 * step_bytes(part, numbers) <= free
        assert 4 * step_bytes(part, numbers) > free
        assert part < batch or batch <= 3


def test_where_the_system_does_not_say_what_is_free_the_whole_batch_is_computed():
    assert suitable_part(256, 10**9, None) == 0


def test_the_system_has_some_memory_left():
    free = free_bytes()
    assert free is None or free > 0
