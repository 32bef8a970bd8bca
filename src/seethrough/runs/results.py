"""What a finished run leaves: weights, what they say of the test images, and the report.

    weights.safetensors       the network's state; its schema, classes (JSON), image_px, network
    predictions.safetensors   of the test images: index int64 n, label int64 n, probabilities
                              float32 n k; of several labels label uint8 n k
    report.json               the fields of `evaluate.report.Report`, or of `SeveralReport`

Predictions are made by the network as read back from its file, so that whoever opens the run
later gets the very numbers of the report.
"""

import dataclasses
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from jaxtyping import Float32, Int64, Shaped
from torch import Tensor, nn

from seethrough.classifier import Classifier, right
from seethrough.data.dataset import MOST_TRAINED, Dataset, Split
from seethrough.data.load import load
from seethrough.data.split import SplitPlan
from seethrough.errors import RunError
from seethrough.evaluate.report import evaluate
from seethrough.evaluate.several import evaluate_several
from seethrough.model import checkpoint
from seethrough.model.make import restore
from seethrough.predict.probabilities import ending_of
from seethrough.runs import checkpoints, durable, steering
from seethrough.runs.folder import Run
from seethrough.train.evaluation import together

WEIGHTS = "weights.safetensors"
PREDICTIONS = "predictions.safetensors"
REPORT = "report.json"
_CHUNKS = 4  # batches of images between two questions whether to stop


@dataclass(frozen=True, slots=True, kw_only=True)
class Finished:
    """All results are written."""

    test_accuracy: float | None  # None: no images were set aside


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Predictions:
    """What a network says of the test images of its data set."""

    index: Int64[np.ndarray, " n"]  # of each image in the data set
    labels: Shaped[np.ndarray, " n *k"]  # as in the data set
    probabilities: Float32[np.ndarray, "n k"]


def finish(
    run: Run, network: nn.Module, dataset: Dataset, should_stop: Callable[[], bool]
) -> Finished | None:
    """Write all results; None where a stop came before the end."""
    facts = run.manifest.network
    metadata = {
        "schema": "1",
        "classes": json.dumps(dataset.classes, ensure_ascii=False),
        "image_px": str(facts.image_px),
        "network": facts.text,
    }
    durable.write(run.folder / WEIGHTS, checkpoint.pack(network.state_dict(), metadata))
    judge = classifier(run)
    train, test = dataset.some(Split.TRAIN, MOST_TRAINED), dataset.indices(Split.TEST)
    if not len(test):
        return Finished(test_accuracy=None)
    said = _probabilities(judge, dataset, test, should_stop)
    trained = _probabilities(judge, dataset, train, should_stop)
    if said is None or trained is None:
        return None
    arrays = {"index": test, "label": dataset.labels[test], "probabilities": said}
    tensors = {name: torch.from_numpy(np.array(array)) for name, array in arrays.items()}
    durable.write(run.folder / PREDICTIONS, checkpoint.pack(tensors, {"schema": "1"}))
    score = evaluate_several if dataset.is_several else evaluate
    report = score(
        said,
        dataset.labels[test],
        dataset.classes,
        train_accuracy=float(right(trained, dataset.labels[train]).mean()),
        train_images=len(train),
    )
    steered = steering.sentences(steering.turns(run.folder))
    warnings = (*steered, *dataset.caveats, *report.warnings)
    report = dataclasses.replace(report, warnings=warnings)
    content = json.dumps(report.to_dict(), ensure_ascii=False, indent=1)
    durable.write(run.folder / REPORT, content.encode())
    return Finished(test_accuracy=report.accuracy)


def classifier(run: Run) -> Classifier:
    """The network of a finished run, or of the newest checkpoint of another."""
    classes = run.manifest.dataset.classes
    is_several = run.manifest.dataset.is_several
    module = restore(run.buildable, len(classes), _weights(run), is_several=is_several)
    return Classifier(
        module=module,
        classes=classes,
        image_px=run.manifest.network.image_px,
        network=run.manifest.network.text,
        trained_on=run.manifest.dataset.fingerprint,
        ending=ending_of(module),
    )


def predictions(run: Run) -> Predictions:
    """What the finished network says of every test image."""
    path = run.folder / PREDICTIONS
    if not path.exists():
        raise RunError(
            f"{run.id} has no predictions.",
            why=f"they are made at the end of a training, and this one is {run.summary.state}.",
            fix=f"go on with it: seethrough train --resume {run.id}.",
        )
    tensors, _ = checkpoint.read(path)
    return Predictions(
        index=tensors["index"].numpy(),
        labels=tensors["label"].numpy(),
        probabilities=tensors["probabilities"].numpy(),
    )


def dataset(run: Run) -> Dataset:
    """The images of the run, loaded again from where they were."""
    facts = run.manifest.dataset
    plan = SplitPlan(
        test=facts.plan["test"],
        validation=facts.plan["validation"],
        seed=int(facts.plan["seed"]),
    )
    loaded = load(facts.source, labels=facts.labels, image_px=facts.image_px, plan=plan)
    check_same(run, loaded)
    return loaded


def check_same(run: Run, dataset: Dataset) -> None:
    """RunError where these are not the images that the run learned from."""
    if dataset.fingerprint != run.manifest.dataset.fingerprint:
        raise RunError(
            f"The images in {dataset.source} are not those that {run.id} learned from.",
            why="files were added, removed or changed since, or are divided in another way.",
            fix="bring the old images back, or train a new run on these.",
        )


def _weights(run: Run) -> Mapping[str, Tensor]:
    path: Path = run.folder / WEIGHTS
    if path.exists():
        return checkpoint.read(path)[0]
    newest = checkpoints.newest(run.folder)
    if newest is None:
        raise RunError(
            f"{run.id} has no weights yet.",
            why="the first ones are kept after its first epoch.",
            fix=f"train it: seethrough train --resume {run.id}.",
        )
    prefix = "weights."
    return {
        name.removeprefix(prefix): tensor
        for name, tensor in newest.state.tensors.items()
        if name.startswith(prefix)
    }


def _probabilities(
    judge: Classifier,
    dataset: Dataset,
    index: Int64[np.ndarray, " n"],
    should_stop: Callable[[], bool],
) -> Float32[np.ndarray, "n k"] | None:
    parts = []
    chunk = _CHUNKS * together(dataset.image_px)
    for start in range(0, len(index), chunk):
        if should_stop():
            return None
        images = np.ascontiguousarray(dataset.images[index[start : start + chunk]])
        parts.append(judge.probabilities(images))
    return np.concatenate(parts)
