"""Memory that ends in the middle of a step: smaller parts, the same batch, the same order."""

import os
import pickle
import resource
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from tests.train.small import digest, last_state, learn, network
from tests.train.together import together

from seethrough.errors import RecipeError
from seethrough.train.events import Remark, Snapshot, Step
from seethrough.train.recipe import Recipe

RECIPE = Recipe(epochs=1, batch=16, peak_lr=0.02, shift_px=1, seed=4)
WIDE = "conv 4096 k1, relu, maxpool 3, conv 4 k1, norm, relu, flatten, dense"


class Cramped(torch.nn.Module):
    """Has memory for so many images, and says no as torch does."""

    def __init__(self, inner, most):
        super().__init__()
        self.inner, self.most, self.computed = inner, most, []

    def forward(self, images):
        if self.training and len(images) > self.most:
            self.inner.norm1.running_mean.fill_(7.0)  # as far as it came
            raise RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried to")
        if self.training:
            self.computed.append(len(images))
        return self.inner(images)


@pytest.mark.parametrize("slices", [1, 2])
def test_it_goes_on_in_parts_as_if_the_recipe_had_said_so(photos, slices):
    recipe = replace(RECIPE, slices=slices)
    module = Cramped(network(photos), most=5)
    seen = list(learn(module, photos, recipe))
    told = [event.text for event in seen if isinstance(event, Remark)]
    assert len(told) == 1
    assert "Memory was short at step 1: from there on batches are computed 4 photos" in told[0]
    assert max(module.computed) <= 5
    asked = network(photos)
    list(learn(asked, photos, replace(recipe, micro_batch=4)))
    assert digest(module.inner.state_dict()) == digest(asked.state_dict())


def test_what_was_found_out_is_kept_with_the_checkpoint(photos):
    whole = list(learn(Cramped(network(photos), most=5), photos, RECIPE))
    first = []
    for event in learn(
        Cramped(network(photos), most=5),
        photos,
        RECIPE,
        should_stop=lambda: sum(isinstance(e, Step) for e in first) >= 2,
    ):
        first.append(event)
    state = [event.state for event in first if isinstance(event, Snapshot)][-1]
    assert state.scalars["micro_batch"] == 4
    roomy = Cramped(network(photos), most=100)
    second = list(learn(roomy, photos, RECIPE, resume=state))
    assert max(roomy.computed) == 4
    assert digest(last_state(second)) == digest(last_state(whole))


def test_where_one_of_several_processes_has_too_little_all_go_on_alike(photos):
    recipe = replace(RECIPE, slices=2)

    def work(world):
        module = Cramped(network(photos), most=5 if world.rank == 1 else 100)
        seen = list(learn(module, photos, recipe, world=world))
        return module.computed[-1], digest(last_state(seen))

    alone = list(learn(Cramped(network(photos), most=5), photos, recipe))
    assert together(2, work) == [(2, digest(last_state(alone)))] * 2  # slices of 6: 4 and 2


def test_where_two_images_are_too_many_it_is_said(photos):
    with pytest.raises(RecipeError, match="no memory to learn from 2 images at once"):
        list(learn(Cramped(network(photos), most=1), photos, RECIPE))


def test_an_error_that_is_not_about_memory_is_not_taken_for_one(photos):
    module = network(photos)

    def broken(layer, inputs):
        if layer.training:
            raise RuntimeError("the roof leaks")

    module.dense1.register_forward_pre_hook(broken)
    with pytest.raises(RuntimeError, match="the roof leaks"):
        list(learn(module, photos, RECIPE))


def test_where_the_system_itself_gives_no_more_memory_it_goes_on_in_parts(photos):
    """RLIMIT_AS: the process may have 150 MB more than it has; whole batches take about 500."""
    out, into = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            module = network(photos, WIDE)
            pages = int(Path("/proc/self/statm").read_text().split()[0])
            limit = pages * resource.getpagesize() + 150_000_000
            resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
            recipe = replace(RECIPE, batch=44)
            seen = list(learn(module, photos, recipe))
            told = [event.text for event in seen if isinstance(event, Remark)]
            losses = [event.loss for event in seen if isinstance(event, Step)]
            with os.fdopen(into, "wb") as pipe:
                pickle.dump((told, losses), pipe)
            os._exit(0)
        except BaseException as error:
            os.write(2, f"{type(error).__name__}: {error}\n".encode())
            os._exit(1)
    os.close(into)
    with os.fdopen(out, "rb") as said:
        content = said.read()
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    told, losses = pickle.loads(content)
    assert len(told) == 1
    assert len(losses) == 1
    whole = list(learn(network(photos, WIDE), photos, replace(RECIPE, batch=44)))
    assert whole[-1].step == 1
