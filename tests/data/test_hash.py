"""hash.py against published outputs of splitmix64, and against chance."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from seethrough.data.hash import below, draws, mixed

GOLDEN = 0x9E3779B97F4A7C15
# Rosetta Code, "Pseudo-random numbers/Splitmix64", seed 1234567
PUBLISHED = [
    6457827717110365317,
    3203168211198807973,
    9817491932198370423,
    4593380528125082431,
    16408922859458223821,
]


def test_the_published_sequence_comes_out():
    states = [(1234567 + step * GOLDEN) % 2**64 for step in range(5)]
    assert [mixed(state) for state in states] == PUBLISHED
    assert draws(np.array(states, dtype=np.uint64)).tolist() == [mixed(z) for z in PUBLISHED]


@settings(deadline=None)
@given(st.integers(0, 2**64 - 1), st.lists(st.integers(0, 2**63), max_size=3))
def test_an_array_gives_what_single_integers_give(identity, key):
    inner = 0
    for part in key:
        inner = mixed(inner ^ part)
    drawn = draws(np.array([identity], dtype=np.uint64), *key)
    assert drawn.tolist() == [mixed(mixed(identity) ^ inner)]


def test_every_part_of_the_key_changes_the_draws():
    ids = np.arange(1000, dtype=np.uint64)
    keys = [(0, 0, 0), (1, 0, 0), (0, 1, 0), (0, 0, 1), (1, 1, 0)]
    drawn = np.stack([draws(ids, *key) for key in keys])
    assert len(np.unique(drawn)) == drawn.size


def test_draws_below_a_limit_are_spread_evenly_and_bits_are_independent():
    drawn = draws(np.arange(20_000, dtype=np.uint64), 5, 6, 7)
    counts = np.bincount(below(9, drawn), minlength=9)
    assert len(counts) == 9
    assert stats.chisquare(counts).pvalue > 0.001
    bits = (drawn[:, None] >> np.arange(64, dtype=np.uint64)) & np.uint64(1)
    signs = bits.astype(np.float32) * 2 - 1
    spread = 1 / np.sqrt(len(drawn))  # of a mean of fair coins; five of them: 1 in 3.5 million
    assert np.abs(signs.mean(axis=0)).max() < 5 * spread
    assert np.abs(signs.T @ signs / len(drawn) - np.eye(64)).max() < 5 * spread
