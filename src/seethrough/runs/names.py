"""Names that people can say for runs: two words, an adjective and a bird.

62 × 62 pairs. The pair is drawn from the operating system's random numbers, so that the name of a
run never depends on the seed of its training.
"""

import os
from collections.abc import Iterator


def _words(text: str) -> tuple[str, ...]:
    return tuple(text.split())


ADJECTIVES = _words("""
    agile amber ancient azure bold brave bright brisk bronze calm candid cheerful clever
    copper coral cosmic crimson crisp curious dapper daring dawn deft eager early ember fair
    fleet gentle gilded golden grand happy hardy hazel honest humble indigo ivory jade jolly
    keen kind lively lucid lucky lunar mellow merry misty noble olive patient plucky quiet
    rapid rosy russet silver steady sunny swift
""")

BIRDS = _words("""
    avocet bittern bunting chough condor coot cormorant crane crossbill cuckoo curlew dipper
    dove dunlin eagle egret eider falcon finch gannet godwit goldcrest grebe grouse gull
    harrier heron hobby hoopoe ibis jackdaw jay kestrel kingfisher kite lapwing lark linnet
    magpie martin merlin nightjar nuthatch oriole osprey owl pelican petrel pipit plover
    puffin quail raven robin shrike siskin snipe starling stork swallow tern wren
""")


def draw() -> str:
    """One pair, such as amber-heron."""
    number = int.from_bytes(os.urandom(8), "little")
    bird, adjective = number % len(BIRDS), number // len(BIRDS) % len(ADJECTIVES)
    return f"{ADJECTIVES[adjective]}-{BIRDS[bird]}"


def candidates() -> Iterator[str]:
    """Names to try one after the other: some pairs, then one pair with growing numbers."""
    for _ in range(20):
        yield draw()
    last, number = draw(), 2
    while True:
        yield f"{last}-{number}"
        number += 1
