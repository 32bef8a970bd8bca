"""`seethrough studio`: all runs in the browser, or a network that is no run."""

import math
from pathlib import Path
from typing import Any

import click

from seethrough.cli import options
from seethrough.cli.network import Named, open_network


class _Colours(click.ParamType[tuple[float, ...]]):
    """R,G,B: three numbers on the scale 0..1."""

    name = "R,G,B"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> tuple[float, ...]:
        """Three finite numbers."""
        try:
            found = tuple(float(part) for part in str(value).split(","))
        except ValueError:
            found = ()
        if len(found) != 3 or not all(map(math.isfinite, found)):
            self.fail(f"{value!r} is not R,G,B: three numbers, such as 0.485,0.456,0.406.")
        return found


@click.command("studio", short_help="All runs in the browser.")
@click.argument("run", metavar="[RUN]", required=False)
@click.option(
    "--network",
    metavar="MODULE:FUNCTION|FILE.onnx",
    help="Instead of a run: a network that was trained elsewhere, to look through.",
)
@click.option(
    "--weights",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE.safetensors",
    help="With MODULE:FUNCTION: what it has learned.",
)
@click.option(
    "--classes",
    metavar="A,B,C|FILE|K",
    help="The classes in the order of its outputs: names, a file of them, or how many.",
)
@click.option(
    "--image-px",
    type=click.IntRange(min=1),
    metavar="N",
    help="The size of the photos that it looks at, where it does not say.",
)
@click.option("--mean", type=_Colours(), help="With --std: what it standardises photos of 0..1 by.")
@click.option("--std", type=_Colours(), help="See --mean.")
@click.option("--photos", metavar="FOLDER", help="Photos to look at with it: a folder or a zip.")
@options.port
@options.no_open
@options.runs_dir
def command(
    run: str | None,
    network: str | None,
    weights: Path | None,
    classes: str | None,
    image_px: int | None,
    mean: tuple[float, ...] | None,
    std: tuple[float, ...] | None,
    photos: str | None,
    port: int | None,
    runs_dir: Path | None,
    *,
    no_open: bool,
) -> None:
    """Open the studio in the browser, at RUN if one is named. Ctrl-C ends it.

    \b
    seethrough studio
    seethrough studio --network model.onnx --photos photos/
    seethrough studio --network nets.py:make --weights weights.safetensors \\
        --classes cup,pen,spoon --image-px 224 --photos photos/

    With --network it opens a network that is no run, with photos of yours: Look, Try and the
    Sandbox. MODULE:FUNCTION is imported and called. Nothing is written, neither beside the photos
    nor among the runs.

    It answers on 127.0.0.1 only, to whoever has the address with the token in it.
    """
    if network is None:
        if any(each is not None for each in (weights, classes, image_px, mean, std, photos)):
            raise click.UsageError(_WITHOUT)
        _serve(run, None, options.runs_folder(runs_dir), port, opens_browser=not no_open)
        return
    if run is not None:
        raise click.UsageError("Name a run or give --network: it opens at one of them.")
    named = Named(network, weights, classes, image_px, mean, std, photos)
    named.check()
    _serve(None, named, options.runs_folder(runs_dir), port, opens_browser=not no_open)


_WITHOUT = (
    "--weights, --classes, --image-px, --mean, --std and --photos go with --network: a run knows "
    "its own."
)


def _serve(
    run: str | None, named: Named | None, folder: Path, port: int | None, *, opens_browser: bool
) -> None:
    from seethrough.cli.terminal import print_text, say
    from seethrough.runs.folder import open_run
    from seethrough.serve.server import Address, serve

    page = "/runs" if run is None else f"/look/{open_run(run, folder).id}"
    opened = []
    if named is not None:
        opened = [open_network(named)]
        page = f"/look/{opened[0].id}"

    def ready(address: Address) -> None:
        print_text(address.link(page))
        say("Ctrl-C ends it.")

    serve(folder, port=port, page=page, opens_browser=opens_browser, ready=ready, opened=opened)
