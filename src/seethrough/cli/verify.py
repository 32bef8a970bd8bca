"""`seethrough verify`: hold the shown arithmetic against the framework's."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from seethrough.cli import options

if TYPE_CHECKING:
    import numpy as np
    from jaxtyping import UInt8

    from seethrough.explain.verify import Verification
    from seethrough.runs.folder import Run

PHOTOS = 8
# The promise of `explain.verify`: float32 rounds at 6e-8, a sum of many products some times over.
TOLERANCE = 1e-5


@click.command("verify", short_help="Hold the shown arithmetic against the framework's.")
@options.run
@click.option(
    "--cells",
    type=click.IntRange(1, 100_000),
    default=200,
    metavar="N",
    show_default=True,
    help="How many activations are recomputed.",
)
@options.runs_dir
@options.as_json
def command(run: str, cells: int, runs_dir: Path | None, *, as_json: bool) -> int:
    """Recompute activations that are picked at random, in all layers and on several test photos.

    Each is added up from its equation in double precision and held against what the framework
    computed; the displayed digits are added up too. The exit code is 1 if a difference is larger
    than float32 explains, or if an equation does not add up as displayed.

    --json prints cells, layers and kinds (name: largest relative difference), forward_worst (of
    all) and worst (where), adds_up (share of equations whose displayed digits add up exactly, 0..1)
    and wrong (where not), unknown (layers without an equation).
    """
    from seethrough.cli.terminal import print_json, print_table, print_text
    from seethrough.explain.verify import verify
    from seethrough.runs.folder import open_run

    opened = open_run(run, options.runs_folder(runs_dir))
    classifier = opened.classifier
    found = verify(classifier.module, _photos(opened), cells=cells)
    if as_json:
        print_json(found.to_dict())
    else:
        rows = [(name, f"{worst:.1e}") for name, worst in found.layers.items()]
        print_table(("layer", "largest relative difference"), rows, right=(1,))
        print_text(_sentences(found))
    return 0 if found.forward_worst <= TOLERANCE and found.adds_up == 1 else 1


def _sentences(found: "Verification") -> str:
    """What was found, and where what is wrong stands."""
    lines = [
        "",
        f"{found.cells} activations recomputed. The largest relative difference from the framework "
        f"is {found.forward_worst:.1e}, at {found.worst}.",
        f"{100 * found.adds_up:.6g} % of the equations add up as displayed, to the last digit.",
    ]
    if found.wrong:
        lines.append(f"These do not: {'; '.join(found.wrong[:5])}.")
    if found.unknown:
        lines.append(f"Layers without an equation: {', '.join(found.unknown)}.")
    return "\n".join(lines)


def _photos(run: "Run") -> 'UInt8[np.ndarray, "n h w 3"]':
    """Some test photos, the same each time, from all over the data set."""
    from seethrough.data.split import Split

    dataset = run.dataset()
    indices = dataset.indices(Split.TEST)
    if len(indices) == 0:
        indices = dataset.indices(Split.TRAIN)
    step = max(1, len(indices) // PHOTOS)
    photos: UInt8[np.ndarray, "n h w 3"] = dataset.images[indices[::step][:PHOTOS]]
    return photos
