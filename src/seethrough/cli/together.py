"""`train` as one of several processes that torchrun started: the first one leads and speaks.

    torchrun --nproc-per-node 2 -m seethrough train photos/

The others do nothing on their own: they learn what is trained from the first one, print nothing
and write nothing. See `train.parallel`.
"""

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import click

from seethrough.cli.terminal import say_error
from seethrough.errors import SeethroughError

if TYPE_CHECKING:
    from seethrough.runs.folder import Run
    from seethrough.train.parallel import World
    from seethrough.train.recipe import Recipe

SAME_S = 5.0  # torchrun passes Ctrl-C on, which the terminal has sent to all already


def taking_part(lead: "Callable[[World | None], int]", *, code: str | None) -> int:
    """`lead` in the first process, or where there is one; the others train along. The exit code.

    `code` is what was named as the network: a function of the user's own is imported by all.
    """
    with together() as world:
        if world is None or world.leads:
            return lead(world)
        return _assisted(world, code=code)


def check_alone(threads: int | None) -> None:
    """UsageError for --threads where torchrun gives every process its own."""
    if threads is not None and "WORLD_SIZE" in os.environ:
        raise click.UsageError(
            "--threads is for one process. torchrun gives each of several one thread; "
            "OMP_NUM_THREADS=N before torchrun gives each N."
        )


@contextmanager
def together() -> "Iterator[World | None]":
    """Those who train together; None: this process alone. Only one of them tells of an error."""
    if "WORLD_SIZE" not in os.environ:
        yield None
        return
    # What broken connections look like from inside of torch is of no use beside what we say.
    os.environ.setdefault("TORCH_CPP_LOG_LEVEL", "ERROR")
    from seethrough.train.parallel import joined

    known: World | None = None
    try:
        with joined() as known:
            yield known if known.size > 1 else None
    except SeethroughError as error:
        if known is None or known.leads:
            raise
        if known.speaks:
            say_error(error)
        raise click.exceptions.Exit(2) from None
    except KeyboardInterrupt:
        if known is None or known.leads:
            raise
        raise click.exceptions.Exit(130) from None


def _assisted(world: "World", *, code: str | None) -> int:
    """Train along with the first process; the exit code."""
    from seethrough.model.source import is_reference
    from seethrough.runs.assistance import assist
    from seethrough.runs.interruption import interruption

    with interruption(SAME_S) as is_asked:
        assist(world, code=code if code and is_reference(code) else None, should_stop=is_asked)
    return 0  # also after a stop: the first process still writes, and tells how it ended


def shared(recipe: "Recipe", world: "World | None") -> "tuple[Recipe, tuple[str, ...]]":
    """The recipe with enough slices for all, and a sentence about it."""
    from seethrough.train.recipe import Recipe

    if world is None:
        return recipe, ()
    if recipe.slices == 1:
        recipe = Recipe.from_dict({**recipe.to_dict(), "slices": world.size})
    world.check(recipe.slices)
    return recipe, (
        f"{world.size} processes share each batch, cut into {recipe.slices} slices. Any number of "
        f"processes from 1 to {recipe.slices} ends with the same weights.",
    )


def tell(world: "World | None", run: "Run") -> None:
    """Let the others know what is trained."""
    if world is not None:
        world.told(run.manifest.to_bytes())
