"""How long a training will take here, and the recipe of one that takes so many minutes.

Raises RecipeError where the minutes cannot be, and what `creation.create` raises for the rest.
"""

import math
from dataclasses import replace

from seethrough.data.dataset import Dataset
from seethrough.errors import RecipeError
from seethrough.model.coded import Network
from seethrough.runs.creation import checked, is_small_step, suitable_place, untrained
from seethrough.train.forecast import BUDGET_S, Forecast, forecast
from seethrough.train.place import Place
from seethrough.train.precision import quickest
from seethrough.train.recipe import Precision, Recipe

MOST_MINUTES = 100_000
WORTH_IT = 1.15  # times as many photos a second, for which products are rounded to bfloat16


def expected(
    dataset: Dataset,
    network: Network,
    recipe: Recipe,
    *,
    place: Place | None = None,
    budget_s: float = BUDGET_S,
) -> Forecast:
    """Time a few steps on a network that is thrown away; a second or two."""
    place = place or usual_place(dataset, network, recipe)
    trial = untrained(dataset, network, recipe)
    return forecast(trial, dataset, recipe, place=place, budget_s=budget_s)


def in_numbers(
    dataset: Dataset, network: Network, recipe: Recipe, *, place: Place | None = None
) -> Recipe:
    """The recipe in bfloat16 where the network learns clearly sooner in it here, else as it is.

    Where a step is small it is as it is, whatever the machine is doing. Else it takes some
    hundredths of a second where the processor has no instructions for it, and one where it has.
    """
    if is_small_step(checked(dataset, network, recipe), recipe):
        return recipe
    if (quicker := quickest(place.device if place else "cpu")) is Precision.FLOAT32:
        return recipe
    rounded = replace(recipe, precision=quicker)
    usual_s, rounded_s = (
        expected(dataset, network, each, place=place, budget_s=BUDGET_S / 3).step_s
        for each in (recipe, rounded)
    )
    return rounded if rounded_s * WORTH_IT < usual_s else recipe


def usual_place(dataset: Dataset, network: Network, recipe: Recipe) -> Place:
    """Where such a run is trained if nothing else is said; raises as `creation.create` does."""
    return suitable_place(checked(dataset, network, recipe), recipe)


def lasting(recipe: Recipe, speed: Forecast, minutes: float) -> Recipe:
    """The recipe with as many epochs as come nearest to so many minutes, at least one."""
    check_minutes(minutes)
    return Recipe.from_dict({**recipe.to_dict(), "epochs": speed.epochs_in(minutes)})


def check_minutes(minutes: float) -> None:
    """Raise RecipeError for minutes in which nothing can be trained."""
    if math.isfinite(minutes) and 0 < minutes <= MOST_MINUTES:
        return
    raise RecipeError(
        f"minutes={minutes} is no time to train for.",
        why=f"it is a number above 0, up to {MOST_MINUTES:,}.",
        fix="write how long it may take, such as minutes=5; or leave it out.",
    )
