"""A learning-rate range test of photos and a network, with a recipe; nothing is written."""

from collections.abc import Callable, Iterator

from seethrough.data.dataset import Dataset
from seethrough.errors import RunError
from seethrough.model.coded import Network
from seethrough.runs.creation import checked, suitable_place, untrained
from seethrough.runs.folder import Run
from seethrough.train.place import Place
from seethrough.train.rates import Trial, trials
from seethrough.train.recipe import Recipe


def range_test(
    dataset: Dataset,
    network: Network,
    recipe: Recipe,
    *,
    place: Place | None = None,
    should_stop: Callable[[], bool] = bool,
) -> Iterator[Trial]:
    """One trial a step on a network that is made from the recipe's seed and thrown away.

    Everything is checked before the first step; raises as `creation.create` does.
    """
    sizes = checked(dataset, network, recipe)
    trial = untrained(dataset, network, recipe)
    place = place or suitable_place(sizes, recipe)
    return trials(trial, dataset, recipe, place=place, should_stop=should_stop)


def check_testable(run: Run) -> None:
    """Raise RunError for a run that did not begin with nothing."""
    if run.manifest.start is None:
        return
    raise RunError(
        f"{run.id} began with the weights of {run.manifest.start.run}.",
        why="a range test takes its steps on an untrained network, which bears other rates.",
        fix="test a run that began with nothing.",
    )
