"""Training along with the process that records a run: every step, and nothing written.

What is trained comes from the first process: the run's manifest now, weights and position when the
training begins. The photos are read here, from where the manifest says they are.
"""

import json
from collections.abc import Callable
from pathlib import Path

from seethrough.runs import creation, manifest, results
from seethrough.runs.folder import Run
from seethrough.runs.start import pace_of
from seethrough.train import loop
from seethrough.train.parallel import World


def assist(world: World, *, code: str | None, should_stop: Callable[[], bool]) -> None:
    """Compute this process's share of the run that the first process records, to the end.

    `code` names a function of the user's own in place of the manifest's, as `open_run` takes it.
    """
    made = manifest.parsed(json.loads(world.told(b"")), Path("run.json"))
    run = Run(Path(made.id), made, code)
    dataset = results.dataset(run)
    recipe = made.recipe
    network = creation.untrained(dataset, run.buildable, recipe)
    goes_on = True
    while goes_on:  # once more after every pause
        for _ in loop.train(
            network,
            dataset,
            recipe,
            place=creation.recorded_place(made.environment),
            should_stop=should_stop,
            pace=None if made.start is None else pace_of(network, made.start, recipe),
            world=world,
        ):
            pass
        goes_on = world.agreed(False)
