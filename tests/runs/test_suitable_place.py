"""How many threads a run takes is a function of the run, and a resume takes as many."""

import torch

from seethrough.model.presets import preset
from seethrough.model.shapes import measure
from seethrough.model.spec import parse
from seethrough.runs.creation import recorded_place, suitable_place
from seethrough.train.recipe import DEMO, Recipe


def test_the_demo_trains_on_one_thread_beside_the_page_that_shows_it() -> None:
    assert suitable_place(measure(preset("demo"), 6), DEMO).num_threads() == 1


def test_a_step_of_a_billion_multiply_adds_takes_all_threads() -> None:
    spec = parse("conv 16 k3 p1, relu, flatten, dense", image_px=32)
    sizes = measure(spec, 4)
    each = sum(size.multiply_adds for size in sizes)
    below, above = 1_000_000_000 // each, 1_000_000_000 // each + 1
    assert suitable_place(sizes, Recipe(batch=below)).threads == 1
    assert suitable_place(sizes, Recipe(batch=above)).num_threads() == torch.get_num_threads()


def test_a_run_goes_on_with_as_many_threads_as_it_began_with_if_there_are_so_many() -> None:
    here = torch.get_num_threads()
    for recorded, wanted in {"1": 1, str(here): here, str(here + 7): here, "": here}.items():
        assert recorded_place({"threads": recorded}).num_threads() == wanted
    assert recorded_place({}).num_threads() == here
