"""`train --find-lr`: a curve of the loss over the learning rate, and what it suggests.

Nothing is written; with --json one object instead of the curve.
"""

import dataclasses
from collections.abc import Sequence
from typing import TYPE_CHECKING

from seethrough.cli.terminal import print_json, print_table, print_text, say
from seethrough.cli.training import INTERRUPTED

if TYPE_CHECKING:
    from seethrough.data.dataset import Dataset
    from seethrough.model.coded import Network
    from seethrough.train.place import Place
    from seethrough.train.rates import Rates, Trial
    from seethrough.train.recipe import Recipe

ROWS = 25  # of the curve at most
WIDEST = 40  # columns of its longest bar


def find_rate(
    dataset: "Dataset",
    network: "Network",
    recipe: "Recipe",
    *,
    place: "Place | None",
    as_json: bool,
) -> int:
    """Try rates until the loss diverges, and say what they did; the exit code."""
    from seethrough.runs.interruption import interruption
    from seethrough.runs.rates import range_test
    from seethrough.train.rates import HIGHEST, LOWEST, STEPS, found

    with interruption() as is_asked:
        testing = range_test(dataset, network, recipe, place=place, should_stop=is_asked)
        if not as_json:
            say(
                f"Trying rates from {LOWEST:g} to {HIGHEST:g} on {network.name}, batches of "
                f"{recipe.batch}, {recipe.optimizer}: {STEPS} steps at most. Nothing is written."
            )
        tried = list(testing)
        if is_asked():
            say("Stopped. Nothing was written.")
            return INTERRUPTED
    rates = found(tried)
    if as_json:
        each = [dataclasses.asdict(trial) for trial in tried]
        print_json({**dataclasses.asdict(rates), "trials": each})
        return 0
    _draw(tried)
    print_text(_sentence(rates))
    return 0


def _draw(tried: "Sequence[Trial]") -> None:
    """Every few trials as a row: rate, smoothed loss, and the loss as a bar."""
    step = -(-len(tried) // ROWS)
    shown = [*tried[: len(tried) - 1 : step], tried[-1]]
    losses = [trial.smoothed for trial in shown if trial.smoothed is not None]
    # A bar of the last, diverging loss would leave no room for the others.
    longest = max(losses[:-1] or losses, default=1.0)
    rows = []
    for trial in shown:
        if trial.smoothed is None:
            rows.append([f"{trial.rate:.2g}", "not a number", ""])
        else:
            width = min(WIDEST, round(WIDEST * trial.smoothed / longest)) if longest else 0
            rows.append([f"{trial.rate:.2g}", f"{trial.smoothed:.3f}", "█" * width])
    print_table(("rate", "smoothed loss", ""), rows, right=(0, 1))


def _sentence(rates: "Rates") -> str:
    """What follows for the recipe."""
    if rates.suggested is None:
        return "\nThe loss never fell: more photos, or another network, may help."
    falls = "" if rates.steepest is None else f"The loss falls fastest at {rates.steepest:.2g}. "
    bears = "No rate was too high."
    if rates.diverged is not None:
        most = f"a tenth of that, {rates.diverged / 10:.2g}, is the most to try"
        bears = f"It runs away at {rates.diverged:.2g}; {most}."
    return f"\n{falls}{bears}\nTry peak_lr = {rates.suggested:.2g} in a recipe (--recipe FILE)."
