"""`seethrough export`: the trained network as a file that other programs run."""

from pathlib import Path

import click

from seethrough.cli import options

PHOTOS = 16  # on which the file is compared with the run


@click.command("export", short_help="The trained network as an ONNX file.")
@options.run
@click.option(
    "--to",
    "kind",
    type=click.Choice(["onnx"]),
    default="onnx",
    show_default=True,
    help="The kind of file.",
)
@click.option(
    "--output",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE",
    help="Where to write it; RUN.onnx in this folder if left out. Nothing is overwritten.",
)
@options.runs_dir
@options.as_json
def command(
    run: str, kind: str, output: Path | None, runs_dir: Path | None, *, as_json: bool
) -> None:
    """Write a file that takes a photo's pixels and answers with probabilities.

    The normalisation is inside, and so are the class names and the size of the photos. The file is
    computed by another program (onnx's own reference) on some of the run's photos, and only
    written where both answer alike. Needs: pip install 'seethrough[onnx]'

    --json prints path, kind, bytes, opset, images (on how many photos it was compared) and
    largest_difference (of a probability, 0..1).
    """
    from seethrough.cli.terminal import print_json, print_text
    from seethrough.cli.verify import some_photos
    from seethrough.runs.folder import open_run

    opened = open_run(run, options.runs_folder(runs_dir))
    found = opened.classifier.export(
        output or Path(f"{opened.id}.onnx"), images=some_photos(opened, PHOTOS)
    )
    if as_json:
        print_json(
            {
                "path": str(found.path),
                "kind": kind,
                "bytes": found.size,
                "opset": found.opset,
                "images": found.images,
                "largest_difference": found.largest_difference,
            }
        )
        return
    print_text(
        f"{found.path}: {found.size:,} bytes, ONNX opset {found.opset}.\n"
        f"On {found.images} photos its probabilities differ from the run's by at most "
        f"{found.largest_difference:.1e}.\n"
        "It takes float32 pixels n 3 h w, 0 to 255, and gives probabilities n k."
    )
