"""Runs, their data sets and their networks, opened once and kept while they are looked at.

Everything is found by an exact id. Beside the runs there may be networks that are none. A network
that is still learning is read anew whenever its run has put a newer checkpoint on the disk.
"""

import threading
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import numpy as np
from jaxtyping import Float32

from seethrough.data.split import Split
from seethrough.runs import manifest
from seethrough.runs.folder import Run, find_run, run_ids
from seethrough.runs.store import list_runs
from seethrough.runs.summary import Summary
from seethrough.serve.opened import Opened, Subject
from seethrough.serve.refusal import Refusal

if TYPE_CHECKING:
    from seethrough.classifier import Classifier
    from seethrough.data.dataset import Dataset

T = TypeVar("T")

RUNS = 256
DATASETS = 8
NETWORKS = 4
MOMENTS = 8  # networks as they were; none has more than a twelfth of 200 MB

Signature = tuple[tuple[str, int], ...]


@dataclass(frozen=True, slots=True)
class Network:
    """A classifier and the state it is in."""

    classifier: "Classifier"
    weights_sha256: str


class Shelf:
    """What is open of the runs in one folder, and what was opened beside them."""

    def __init__(self, runs_dir: Path, opened: Sequence[Opened] = ()) -> None:
        self.runs_dir = runs_dir
        self.opened = {each.id: each for each in opened}
        self._runs: OrderedDict[str, tuple[int | None, Run]] = OrderedDict()
        self._datasets: OrderedDict[str, Dataset] = OrderedDict()
        self._said: OrderedDict[str, Float32[np.ndarray, "n k"]] = OrderedDict()
        self._networks: OrderedDict[str, tuple[Signature, Network]] = OrderedDict()
        self._past: OrderedDict[str, Network] = OrderedDict()
        self._finding, self._loading = threading.Lock(), threading.Lock()

    def summaries(self) -> list[Summary]:
        """Every run, newest first."""
        return list_runs(self.runs_dir)

    def subject(self, subject_id: str) -> Subject:
        """What has this id: an opened network or a run."""
        return self.opened.get(subject_id) or self.run(subject_id)

    def run(self, run_id: str) -> Run:
        """The run with this id, its manifest read anew when the file has changed."""
        if run_id in self.opened:
            raise self.opened[run_id].no_run()
        with self._finding:
            held = self._runs.get(run_id)
            if held is None or held[0] != _written(held[1]):
                if run_id not in run_ids(self.runs_dir):
                    raise Refusal(
                        404,
                        f"There is no run {run_id[:80]!r}.",
                        why="it was deleted, or belongs to another folder of runs.",
                        fix="choose one from the list of runs.",
                    )
                run = find_run(run_id, self.runs_dir)
                self._runs[run_id] = (_written(run), run)
            return _kept(self._runs, run_id, RUNS)[1]

    def dataset(self, run: Run) -> "Dataset":
        """The images the run learned from."""
        key = run.manifest.dataset.fingerprint + run.id
        with self._loading:
            if key not in self._datasets:
                self._datasets[key] = run.dataset()
            return _kept(self._datasets, key, DATASETS)

    def said(self, run: Run) -> Float32[np.ndarray, "n k"] | None:
        """What the finished network says of each image, NaN where it was not asked.

        None while the run is not finished, and where no image was set aside for testing.
        """
        dataset = self.dataset(run)
        if run.summary.state != "finished" or not len(dataset.indices(Split.TEST)):
            return None
        with self._loading:
            if run.id not in self._said:
                told = run.predictions
                table = np.full((len(dataset), len(dataset.classes)), np.nan, dtype=np.float32)
                table[told.index] = told.probabilities
                self._said[run.id] = table
            return _kept(self._said, run.id, DATASETS)

    def has_network(self, subject: Subject) -> bool:
        """Whether the run has put any weights on the disk."""
        return isinstance(subject, Opened) or bool(_signature(subject.folder))

    def network(self, run: Subject, step: int | None = None) -> Network:
        """The network as it is now: of a run finished, or as of its newest checkpoint.

        With a step, as it was at that moment. Loads torch; only the worker calls it, so that no
        lock is needed.
        """
        from seethrough.model.checkpoint import weights_sha256

        if isinstance(run, Opened):
            if step is not None:
                raise run.no_run()
            return Network(run.classifier, run.weights_sha256)
        if step is not None:
            return self._network_at(run, step)
        signature = _signature(run.folder)
        held = self._networks.get(run.id)
        if held is None or held[0] != signature:
            classifier = run.classifier
            network = Network(classifier, weights_sha256(classifier.module))
            self._networks[run.id] = (signature, network)
        return _kept(self._networks, run.id, NETWORKS)[1]

    def _network_at(self, run: Run, step: int) -> Network:
        from seethrough.model.checkpoint import weights_sha256
        from seethrough.runs.past import moment_at

        key = f"{run.id} {moment_at(run, step).sha256}"
        if key not in self._past:
            classifier = run.classifier_at(step)
            self._past[key] = Network(classifier, weights_sha256(classifier.module))
        return _kept(self._past, key, MOMENTS)


def _written(run: Run) -> int | None:
    """When the run's manifest was written; None: it is gone."""
    try:
        return (run.folder / manifest.FILE).stat().st_mtime_ns
    except OSError:
        return None


def _signature(folder: Path) -> Signature:
    """Names and times of the files that a network may be read from."""
    files = [*folder.glob("*.safetensors"), *folder.glob("checkpoints/*.safetensors")]
    return tuple(sorted((file.name, file.stat().st_mtime_ns) for file in files))


def _kept(items: OrderedDict[str, T], key: str, limit: int) -> T:
    items.move_to_end(key)
    while len(items) > limit:
        items.popitem(last=False)
    return items[key]
