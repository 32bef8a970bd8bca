"""What `train` chooses where nothing was asked for, why, and how long it will take.

Two or three sentences on standard error, and in the log. Nobody waits more than about two seconds
for them: see `train.forecast`.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from seethrough.cli.progress import duration, epochs_of
from seethrough.cli.terminal import say
from seethrough.errors import SeethroughError

if TYPE_CHECKING:
    from seethrough.data.dataset import Dataset
    from seethrough.model.coded import Network
    from seethrough.train.forecast import Forecast
    from seethrough.train.place import Place
    from seethrough.train.recipe import Recipe

LONG_S = 600.0  # from then on a training is announced as a long one
NOTABLE_S = 60.0  # from then on it is worth a look whether one thread would be faster
ONE_S = 0.5  # for that look
LARGER = "cifar-small"
_FEW = 50  # photos a class
_SMALL_PX = 64  # side of images of which those of 32 px still show something
_FASTER = 1.25  # times as fast, from which on it is said


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What the user gave; the rest is chosen."""

    network: bool
    recipe: "Recipe | None"
    changes: Mapping[str, int | str]  # of fields of the recipe
    minutes: float | None
    place: "Place | None" = None


def choice(
    dataset: "Dataset", network: "Network", asked: Asked, *, is_quiet: bool
) -> "tuple[Recipe, tuple[str, ...]]":
    """The recipe, and what was said about it; quiet, and without minutes, nothing is measured."""
    from seethrough.runs.duration import expected, lasting, usual_place
    from seethrough.train.place import Place

    recipe = suited(dataset, network, asked)
    if is_quiet and asked.minutes is None:
        return recipe, ()
    place = asked.place or usual_place(dataset, network, recipe)
    speed = expected(dataset, network, recipe, place=place)
    if asked.minutes is not None:
        recipe = lasting(recipe, speed, asked.minutes)
    told = (
        _chosen(dataset, network, recipe, asked),
        *time_told(speed, recipe, asked),
        *start_told(dataset, asked),
    )
    several = place.num_threads() if asked.place is None else 1
    if several > 1 and speed.total_s(recipe.epochs) > NOTABLE_S:
        one = expected(dataset, network, recipe, place=Place(threads=1), budget_s=ONE_S)
        told += threads_told(several, all_s=speed.step_s, one_s=one.step_s)
    if not is_quiet:
        told += larger_told(dataset, asked)
        for sentence in told:
            say(sentence)
    return recipe, told


def suited(dataset: "Dataset", network: "Network", asked: Asked) -> "Recipe":
    """The recipe that was asked for, or one that suits photos and memory, with what was changed."""
    from seethrough.runs.creation import checked, train_images
    from seethrough.runs.duration import in_numbers
    from seethrough.train.memory import free_bytes, suitable_part
    from seethrough.train.recipe import Recipe

    if asked.recipe is not None:
        return Recipe.from_dict({**asked.recipe.to_dict(), **asked.changes})
    recipe = Recipe.default_for(train_images=train_images(dataset), image_px=dataset.image_px)
    sizes = checked(dataset, network, recipe)
    numbers = sum(math.prod(size.shape) for size in sizes)
    free = free_bytes("cpu" if asked.place is None else asked.place.device)
    part = suitable_part(recipe.batch, numbers, free)
    recipe = Recipe.from_dict({**recipe.to_dict(), "micro_batch": part, **asked.changes})
    if "precision" in asked.changes:
        return recipe
    return in_numbers(dataset, network, recipe, place=asked.place)


def _chosen(dataset: "Dataset", network: "Network", recipe: "Recipe", asked: Asked) -> str:
    """Network, size, batch, optimizer, rate and epochs; those that were asked for are marked."""
    from seethrough.runs.creation import train_images

    has_epochs = asked.recipe is not None or "epochs" in asked.changes or asked.minutes is not None
    epochs = epochs_of(recipe.epochs)
    steps = f"batches of {recipe.batch}, {recipe.optimizer} with a rate of up to {recipe.peak_lr:g}"
    if recipe.micro_batch and asked.recipe is None:
        steps += f", computed {recipe.micro_batch} at a time because memory is short"
    if recipe.precision != "float32":
        is_told = asked.recipe is not None or "precision" in asked.changes
        steps += f", products in {recipe.precision}" + ("" if is_told else ", quicker here")
    parts = (
        _marked(f"network {network.name} at {dataset.image_px} px", is_asked=asked.network),
        _marked(steps, is_asked=asked.recipe is not None),
        _marked(epochs, is_asked=has_epochs),
    )
    short_px = int(np.median(dataset.sizes.min(axis=1)))
    number = f"{train_images(dataset):,} photos to learn from"
    return f"For {number}, most about {short_px} px: {'; '.join(parts)}."


def _marked(words: str, *, is_asked: bool) -> str:
    return f"{words} (as asked)" if is_asked else words


def time_told(expected: "Forecast", recipe: "Recipe", asked: Asked) -> tuple[str, ...]:
    """How long it will take, and a way out where that is more than ten minutes."""
    total_s = expected.total_s(recipe.epochs)
    said = (
        f"It will take about {duration(total_s)} on this machine, "
        f"which learns from {1 / expected.step_s:,.0f} photos a second."
    )
    if asked.minutes is not None and total_s > 2 * 60 * asked.minutes:
        return (said, "That is more than was asked for: it is one time through the photos.")
    if total_s > LONG_S and asked.minutes is None:
        shorter = f"--minutes 10 would be {epochs_of(expected.epochs_in(LONG_S / 60))}"
        return (said, f"That is long: {shorter}; a smaller --model or --image-px is quicker.")
    return (said,)


def start_told(dataset: "Dataset", asked: Asked) -> tuple[str, ...]:
    """That few photos are better begun with learned weights, for who asked for no network."""
    from seethrough.runs.creation import train_images

    each = train_images(dataset) / len(dataset.classes)
    if asked.network or each > _FEW or dataset.image_px > _SMALL_PX:
        return ()
    return (
        f"About {each:.0f} photos a class are few to learn from nothing: --from cifar10 begins "
        "with a network that knows ten kinds of animals and vehicles at 32 px.",
    )


def larger_told(dataset: "Dataset", asked: Asked) -> tuple[str, ...]:
    """How long a larger network would take, for who asked for nothing and has enough photos.

    It is offered and not taken: what is learned must not depend on how quick the machine is.
    """
    from seethrough.model.presets import asked_for
    from seethrough.runs.creation import train_images
    from seethrough.runs.duration import expected
    from seethrough.train.precision import quickest

    each = train_images(dataset) / len(dataset.classes)
    if asked.network or asked.recipe is not None or asked.minutes is not None or each <= _FEW:
        return ()
    network = asked_for(LARGER, dataset.image_px)
    numbers = quickest("cpu" if asked.place is None else asked.place.device)
    changes = {"precision": str(numbers), **asked.changes}
    try:
        recipe = suited(dataset, network, replace(asked, changes=changes))
        speed = expected(dataset, network, recipe, place=asked.place, budget_s=ONE_S)
    except SeethroughError:  # these images are not for it
        return ()
    took = duration(speed.total_s(recipe.epochs))
    return (f"A larger network may learn more: --model {LARGER} would take about {took}.",)


def threads_told(threads: int, *, all_s: float, one_s: float) -> tuple[str, ...]:
    """A sentence where one thread alone is clearly faster than all: other programs compute too."""
    if all_s < _FASTER * one_s:
        return ()
    return (
        f"One thread alone is {all_s / one_s:.1f} times as fast as {threads} at the moment: other "
        "programs compute here too, and threads wait for each other. --threads 1 takes one.",
    )
