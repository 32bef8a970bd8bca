"""`seethrough verify`: hold the shown arithmetic against the framework's."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from seethrough.cli import options

if TYPE_CHECKING:
    import numpy as np
    from jaxtyping import UInt8
    from torch import nn

    from seethrough.explain.verify import Verification
    from seethrough.runs.folder import Run

PHOTOS = 8


@click.command("verify", short_help="Hold the shown arithmetic against the framework's.")
@click.argument("run", metavar="RUN|MODULE:FUNCTION|FILE.onnx")
@click.option(
    "--cells",
    type=click.IntRange(1, 100_000),
    default=200,
    metavar="N",
    show_default=True,
    help="How many activations are recomputed, and as many gradients.",
)
@click.option(
    "--classes",
    type=click.IntRange(min=2),
    default=10,
    show_default=True,
    metavar="K",
    help="With MODULE:FUNCTION: how many classes the function is asked for.",
)
@click.option(
    "--image-px",
    type=click.IntRange(min=1),
    default=32,
    show_default=True,
    metavar="N",
    help="With MODULE:FUNCTION: the size of the photos; with an ONNX file that leaves it open too.",
)
@options.runs_dir
@options.as_json
def command(
    run: str, cells: int, classes: int, image_px: int, runs_dir: Path | None, *, as_json: bool
) -> int:
    """Recompute activations and gradients that are picked at random, in all layers.

    Each is added up from its equation in double precision and held against what the framework
    computed, forwards and backwards; the displayed digits are added up too. The exit code is 1 if a
    difference is larger than rounding explains (1e-5 in float32, 2e-3 in float16, 2e-2 in
    bfloat16), or if an equation does not add up as displayed.

    A run is checked on several of its test photos. MODULE:FUNCTION, or a path of a Python file and
    the name of a function in it, is imported and called for a network, checked on random pixels. So
    is a network in an ONNX file.

    --json prints cells, layers and kinds (name: largest relative difference), forward_worst (of
    all) and worst (where), gradients, backward_layers, backward_worst and worst_gradient (the same
    backwards), adds_up (share of equations whose displayed digits add up exactly, 0..1) and wrong
    (where not), unknown (layers without an equation).
    """
    from seethrough.cli.terminal import print_json, print_table, print_text
    from seethrough.explain.verify import verify

    module, photos = _network(run, classes, image_px, runs_dir)
    found = verify(module, photos, cells=cells)
    if as_json:
        print_json(found.to_dict())
    else:
        rows = [
            (name, f"{worst:.1e}", _shown(found.backward_layers.get(name)))
            for name, worst in found.layers.items()
        ]
        print_table(("layer", "forwards", "backwards"), rows, right=(1, 2))
        print_text(_sentences(found))
    return 0 if found.holds else 1


def _sentences(found: "Verification") -> str:
    """What was found, and where what is wrong stands."""
    lines = [
        "",
        f"{found.cells} activations recomputed. The largest relative difference from the framework "
        f"is {found.forward_worst:.1e}, at {found.worst}.",
        f"{found.gradients} gradients recomputed; largest {found.backward_worst:.1e}, at "
        f"{found.worst_gradient}."
        if found.gradients
        else f"No gradient was checked: {found.worst_gradient}",
        f"{100 * found.adds_up:.6g} % of the equations add up as displayed, to the last digit.",
    ]
    if found.precision != "float32":
        lines.append(
            f"This network computes in {found.precision}, whose rounding explains up to "
            f"{found.tolerance:.1e}."
        )
    far = [place for place in found.beyond if place not in found.not_finite]
    if far:
        lines.append(f"Rounding does not explain: {'; '.join(far[:5])}.")
    if found.not_finite:
        lines.append(
            f"Not comparable, the framework has inf or nan there: {'; '.join(found.not_finite[:5])}"
            f"{', …' if len(found.not_finite) > 5 else ''}."
        )
    wrong = [place for place in found.wrong if place not in found.not_finite]
    if wrong:
        lines.append(f"These do not: {'; '.join(wrong[:5])}.")
    if found.unknown:
        lines.append(f"Layers without an equation: {', '.join(found.unknown)}.")
    return "\n".join(lines)


def _shown(worst: float | None) -> str:
    return "" if worst is None else f"{worst:.1e}"


def _network(
    run: str, classes: int, image_px: int, runs_dir: Path | None
) -> "tuple[nn.Module, UInt8[np.ndarray, 'n h w 3']]":
    if run.endswith(".onnx"):
        return _read(Path(run), image_px)
    if ":" in run:
        return _made(run, classes, image_px)
    return _opened(run, options.runs_folder(runs_dir))


def _read(path: Path, image_px: int) -> "tuple[nn.Module, UInt8[np.ndarray, 'n h w 3']]":
    from seethrough.classifier import wrap
    from seethrough.model.onnx.reading import read

    classifier = wrap(path, image_px=read(path).image_px or image_px)
    return classifier.module, _noise(classifier.image_px)


def _opened(run: str, runs_dir: Path) -> "tuple[nn.Module, UInt8[np.ndarray, 'n h w 3']]":
    from seethrough.runs.folder import open_run

    opened = open_run(run, runs_dir)
    return opened.classifier.module, some_photos(opened)


def _made(
    reference: str, classes: int, image_px: int
) -> "tuple[nn.Module, UInt8[np.ndarray, 'n h w 3']]":
    from seethrough.model.reference import load_module

    return load_module(reference, num_classes=classes, image_px=image_px), _noise(image_px)


def _noise(image_px: int) -> 'UInt8[np.ndarray, "n h w 3"]':
    import numpy as np

    shape = (PHOTOS, image_px, image_px, 3)
    return np.random.default_rng(0).integers(0, 256, shape, dtype=np.uint8)


def some_photos(run: "Run", count: int = PHOTOS) -> 'UInt8[np.ndarray, "n h w 3"]':
    """Some test photos, the same each time, from all over the data set."""
    from seethrough.data.split import Split

    dataset = run.dataset()
    indices = dataset.indices(Split.TEST)
    if len(indices) == 0:
        indices = dataset.indices(Split.TRAIN)
    step = max(1, len(indices) // count)
    photos: UInt8[np.ndarray, "n h w 3"] = dataset.images[indices[::step][:count]]
    return photos
