"""names.py: enough names, and always a next one."""

import itertools
import re

from seethrough.runs.names import ADJECTIVES, BIRDS, candidates, draw


def test_there_are_sixty_words_of_each_kind_and_none_twice():
    for words in (ADJECTIVES, BIRDS):
        assert len(words) >= 60
        assert len(set(words)) == len(words)
        assert all(re.fullmatch("[a-z]{3,12}", word) for word in words)
    assert not set(ADJECTIVES) & set(BIRDS)


def test_a_name_is_an_adjective_and_a_bird():
    for _ in range(200):
        adjective, bird = draw().split("-")
        assert adjective in ADJECTIVES
        assert bird in BIRDS


def test_when_pairs_are_taken_a_number_makes_the_difference():
    tried = list(itertools.islice(candidates(), 24))
    assert re.fullmatch("[a-z]+-[a-z]+-5", tried[-1])
    assert len(set(tried[-4:])) == 4
