"""Random numbers without state: a 64-bit hash of what they belong to (SplitMix64's finaliser).

    z ← x + 0x9E3779B97F4A7C15
    z ← (z ^ (z >> 30)) × 0xBF58476D1CE4E5B9
    z ← (z ^ (z >> 27)) × 0x94D049BB133111EB
    z ^ (z >> 31)                                  all modulo 2^64

The draw for an image and a key (seed, epoch, purpose) is mixed(mixed(id) ^ k), where k starts at 0
and becomes mixed(k ^ part) for each part of the key. It depends on nothing else: not on the batch,
the worker, or what was drawn before. (Mixed once, ids that count upwards show in the bits.)
Source: Steele, Lea and Flood, "Fast Splittable Pseudorandom Number Generators", OOPSLA 2014,
doi:10.1145/2660193.2660195; constants of Vigna's splitmix64.c.
"""

import numpy as np
from jaxtyping import Int64, UInt64

_GOLDEN = 0x9E3779B97F4A7C15
_WORD = (1 << 64) - 1


def mixed(value: int) -> int:
    """One step of SplitMix64, on a Python integer."""
    z = (value + _GOLDEN) & _WORD
    z = ((z ^ (z >> 30)) * 0xBF58476D1CE4E5B9) & _WORD
    z = ((z ^ (z >> 27)) * 0x94D049BB133111EB) & _WORD
    return z ^ (z >> 31)


def draws(ids: UInt64[np.ndarray, " n"], *key: int) -> UInt64[np.ndarray, " n"]:
    """One 64-bit number for each id; every integer of `key` changes all of them."""
    inner = 0
    for part in key:
        inner = mixed(inner ^ (part & _WORD))
    return _mixed(_mixed(ids) ^ np.uint64(inner))


def _mixed(values: UInt64[np.ndarray, " n"]) -> UInt64[np.ndarray, " n"]:
    """`mixed` for arrays; uint64 arrays wrap around silently."""
    z = values + np.uint64(_GOLDEN)
    z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return z ^ (z >> np.uint64(31))


def below(limit: int, drawn: UInt64[np.ndarray, " n"]) -> Int64[np.ndarray, " n"]:
    """Each draw as an integer in 0..limit − 1; uneven by less than limit / 2^32."""
    return (((drawn >> np.uint64(32)) * np.uint64(limit)) >> np.uint64(32)).astype(np.int64)
