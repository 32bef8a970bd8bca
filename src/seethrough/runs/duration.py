"""How long a training will take here, and the recipe of one that takes so many minutes.

Raises RecipeError where the minutes cannot be, and what `creation.create` raises for the rest.
"""

import math

from seethrough.data.dataset import Dataset
from seethrough.errors import RecipeError
from seethrough.model.coded import Network
from seethrough.runs.creation import checked, suitable_place, untrained
from seethrough.train.forecast import Forecast, forecast
from seethrough.train.place import Place
from seethrough.train.recipe import Recipe

MOST_MINUTES = 100_000


def expected(
    dataset: Dataset, network: Network, recipe: Recipe, *, place: Place | None = None
) -> Forecast:
    """Time a few steps on a network that is thrown away; a second or two."""
    sizes = checked(dataset, network, recipe)
    trial = untrained(dataset, network, recipe)
    return forecast(trial, dataset, recipe, place=place or suitable_place(sizes, recipe))


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
