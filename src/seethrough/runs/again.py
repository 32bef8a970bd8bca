"""A new run on the photos of another, with its network and its recipe but for some values.

What the other run learned is not taken over, except where it began with the weights of a third:
then so does the new one. Raises RecipeError, and whatever `creation.create` raises.
"""

from collections.abc import Mapping
from pathlib import Path

from seethrough.data.dataset import Dataset
from seethrough.runs.creation import create
from seethrough.runs.folder import Run, find_run
from seethrough.runs.shipped import SHIPPED, shipped
from seethrough.runs.start import Source
from seethrough.train.recipe import Recipe


def again(run: Run, changes: Mapping[str, float | int], *, dataset: Dataset, runs_dir: Path) -> Run:
    """A run that waits to be recorded; `dataset` is what `run` learned from."""
    recipe = Recipe.from_dict({**run.manifest.recipe.to_dict(), **changes})
    begun = run.manifest.start
    start: Run | Source | None = None
    if begun is not None:
        if begun.published is not None:
            start = Source.again(run, begun)
        else:
            is_shipped = begun.run in SHIPPED
            start = shipped(begun.run) if is_shipped else find_run(begun.run, runs_dir)
    return create(dataset, run.buildable, recipe, runs_dir=runs_dir, start=start)
