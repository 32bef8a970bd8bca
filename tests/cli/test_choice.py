"""What is said before a training begins, for trainings of every length."""

import re
from dataclasses import replace

import pytest
from tests.train.tinted import tinted

from seethrough.cli.choice import Asked, larger_told, start_told, threads_told, time_told
from seethrough.train.forecast import Forecast
from seethrough.train.recipe import Recipe

SPEED = Forecast(images=1000, test_images=0, step_s=0.00097, evaluation_s=0.0)  # 1 s an epoch


def asked(minutes=None):
    return Asked(network=False, recipe=None, changes={}, minutes=minutes)


@pytest.mark.parametrize(("epochs", "is_long"), [(10, False), (600, False), (601, True)])
def test_a_training_of_more_than_ten_minutes_is_announced_as_long(epochs, is_long):
    told = time_told(SPEED, Recipe(epochs=epochs), asked())
    assert len(told) == 1 + is_long
    assert "1,031 photos a second" in told[0]
    if is_long:
        assert "--minutes 10 would be 600 epochs" in told[1]


def test_who_asked_for_an_hour_is_not_told_that_it_is_long():
    assert len(time_told(SPEED, Recipe(epochs=3600), asked(minutes=60.0))) == 1


def test_who_asked_for_less_than_an_epoch_gets_one_and_is_told():
    told = time_told(SPEED, Recipe(epochs=1), asked(minutes=0.005))
    assert "one time through the photos" in told[1]


def test_that_one_thread_would_be_faster_is_said_with_how_much():
    (said,) = threads_told(2, all_s=0.125, one_s=0.0125)
    assert said.startswith("One thread alone is 10.0 times as fast as 2 at the moment")
    assert "--threads 1" in said


@pytest.mark.parametrize("one_s", [0.0125, 0.02])
def test_that_more_threads_are_as_fast_or_faster_is_not_said(one_s):
    assert threads_told(2, all_s=0.0125, one_s=one_s) == ()


def shown(each, image_px=32):
    """So many photos of each of three classes to learn from."""
    return tinted(3 * each, 6, image_px=image_px)


def test_where_photos_are_few_a_better_beginning_is_named():
    (said,) = start_told(shown(20), asked())
    assert "--from cifar10" in said
    assert start_told(shown(80), asked()) == ()
    assert start_told(shown(20, image_px=96), asked()) == ()
    assert start_told(shown(20), replace(asked(), network=True)) == ()


def test_where_photos_are_many_a_larger_network_is_offered_with_its_time():
    (said,) = larger_told(shown(80), asked())
    assert re.search(r"--model cifar-small would take about [\d,]+ (s|min|h)", said)
    assert larger_told(shown(20), asked()) == ()
    assert larger_told(shown(80), replace(asked(), network=True)) == ()
    assert larger_told(shown(80), asked(minutes=5.0)) == ()
