"""Make the weights that `--from cifar10` begins with: all of CIFAR-10 learned, judged, rounded.

python -m benchmarks.ship --data FOLDER [--seed N] [--runs-dir FOLDER] [--to FILE]
python -m benchmarks.ship --data FOLDER --run NAME [--runs-dir FOLDER] [--to FILE]

FOLDER is CIFAR-10 as `tools/make_photos.py ARCHIVE --whole` writes it. Without --run it is learned
first, as in `benchmarks.whole`: by the program, a process a core, by `cifar10.toml`. Kernels are
rounded to half precision, and what then remains is judged on the 10,000 test photos: once, and with
the answers to six views of each averaged. What is printed stands in the file as well.
"""

import argparse
import json
import tempfile
from dataclasses import asdict
from pathlib import Path

import torch

import seethrough as see
from benchmarks.whole import IMAGE_PX, NETWORK, VIEWS, accuracy, cores, learned
from seethrough.data.dataset import Dataset, Split
from seethrough.model.checkpoint import load_into, weights_sha256
from seethrough.runs import shipped
from seethrough.runs.folder import Run, open_run
from seethrough.train.precision import quickest

FILE = Path("src/seethrough/runs/weights/cifar10.safetensors")


def ship(run: Run, photos: Dataset, file: Path) -> shipped.Facts:
    """Write the run's weights with rounded kernels, and what these reach on the test photos."""
    network = run.classifier.module
    before = weights_sha256(network)
    tensors = shipped.rounded(network)
    load_into(network, tensors)
    facts = shipped.Facts(
        name=file.stem,
        network=NETWORK,
        image_px=IMAGE_PX,
        classes=photos.classes,
        recipe=run.manifest.recipe,
        weights_sha256=before,
        test_images=len(photos.indices(Split.TEST)),
        test_accuracy=accuracy(network, photos, views=1),
        test_accuracy_6_views=accuracy(network, photos, views=VIEWS),
    )
    file.write_bytes(shipped.pack(tensors, facts))
    return facts


def main() -> None:
    """Learn where no run is named, judge, write, print."""
    arguments = argparse.ArgumentParser(prog="python -m benchmarks.ship")
    arguments.add_argument("--data", type=Path, required=True, metavar="FOLDER")
    arguments.add_argument("--seed", type=int, default=2, help="2: what is shipped")
    arguments.add_argument("--run", metavar="NAME", help="a finished run instead of a new one")
    arguments.add_argument("--runs-dir", type=Path, metavar="FOLDER")
    arguments.add_argument("--to", type=Path, default=FILE, metavar="FILE")
    options = arguments.parse_args()
    torch.set_num_threads(cores())
    photos = see.load(options.data, image_px=IMAGE_PX)
    with tempfile.TemporaryDirectory() as folder:
        if options.run is not None:
            run = open_run(options.run, options.runs_dir)
        else:
            run = learned(options.data, options.seed, quickest(), options.runs_dir or Path(folder))
        facts = ship(run, photos, options.to)
    said = {**asdict(facts), "recipe": facts.recipe.to_dict()}
    print(json.dumps({"bytes": options.to.stat().st_size, **said}, indent=1, default=str))


if __name__ == "__main__":
    main()
