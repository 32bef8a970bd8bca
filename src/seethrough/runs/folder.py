"""A run on the disk: one folder, found by name.

    run.json                  what it is (manifest.py)
    log.jsonl                 what happened (log.py)
    checkpoints/              where to go on (checkpoints.py)
    moments.bin               the network as it was after some of its steps (moments.py)
    weights.safetensors       the trained network
    predictions.safetensors   what it says of the test images
    report.json               how good it is
    process.json, launch.json, output.txt   who records it, and what that process printed

Reading names and logs needs no torch; `classifier`, `predictions` and `dataset` load it.
"""

import dataclasses
import difflib
import json
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import platformdirs

from seethrough.errors import CheckpointError, RunError
from seethrough.evaluate.report import Report
from seethrough.evaluate.several import SeveralReport
from seethrough.model import spec
from seethrough.model.coded import ModuleSpec, Network, Origin
from seethrough.model.shapes import LayerSize, measure
from seethrough.runs import consent, log, manifest, moments, summary
from seethrough.runs.log import LogEvent
from seethrough.runs.manifest import Manifest
from seethrough.runs.moments import Moment
from seethrough.runs.summary import Summary

if TYPE_CHECKING:
    from torch import Tensor

    from seethrough.classifier import Classifier
    from seethrough.data.dataset import Dataset
    from seethrough.explain.timeline import Timeline
    from seethrough.explain.what_if import Change
    from seethrough.learning.continuation import Continuation
    from seethrough.runs.results import Predictions


@dataclass(frozen=True, slots=True)
class Run:
    """One training: what was asked, what happened, and what came out."""

    folder: Path
    manifest: Manifest
    code: str | None = None  # a function that the user names in place of the one in the manifest

    @property
    def id(self) -> str:
        """The run's name."""
        return self.manifest.id

    @property
    def summary(self) -> Summary:
        """Where the run stands now."""
        return summary.summarise(self.folder)

    @property
    def network(self) -> Network:
        """The network that was trained; naming it imports nothing."""
        facts = self.manifest.network
        if facts.kind == "layers":
            return spec.parse(facts.text, name=facts.name, image_px=facts.image_px)
        return ModuleSpec(
            name=facts.name,
            image_px=facts.image_px,
            text=facts.text,
            origin=Origin(facts.kind),
            source=facts.source,
            source_sha256=facts.source_sha256,
        )

    @property
    def sizes(self) -> tuple[LayerSize, ...]:
        """Every layer of the network; of one that is code, as measured when the run was made."""
        network = self.network
        if isinstance(network, ModuleSpec):
            return self.manifest.network.layers
        facts = self.manifest.dataset
        return measure(network, len(facts.classes), is_several=facts.is_several)

    @property
    def buildable(self) -> Network:
        """The network, if its code may be imported here; RunError says why not."""
        network = self.network
        if isinstance(network, ModuleSpec) and network.origin is Origin.REFERENCE:
            return consent.agreed(network, self.id, self.code)
        return network

    @property
    def report(self) -> Report | SeveralReport:
        """How good the finished network is on images it never saw."""
        path = self.folder / "report.json"
        try:
            kind = SeveralReport if self.manifest.dataset.is_several else Report
            return kind.from_dict(json.loads(path.read_bytes()))
        except FileNotFoundError:
            raise RunError(
                f"{self.id} has no report.",
                why=_why_no_report(self),
                fix=f"go on with it: seethrough train --resume {self.id}.",
            ) from None
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise RunError(
                f"{path} cannot be read.",
                why=f"{error}.",
                fix=_make_again(self),
            ) from error

    @property
    def classifier(self) -> "Classifier":
        """The trained network with its classes; of an unfinished run, as last checkpointed."""
        from seethrough.runs import results  # torch, which listing runs does without

        try:
            return results.classifier(self)
        except CheckpointError as error:
            is_own_code = self.manifest.network.kind == Origin.REFERENCE
            if is_own_code or not self.summary.is_finished:
                raise
            raise CheckpointError(error.what, why=error.why, fix=_make_again(self)) from None

    @property
    def moments(self) -> tuple[Moment, ...]:
        """The steps at which its network was kept as it was, the first one first."""
        return moments.listed(self.folder)

    def classifier_at(self, step: int) -> "Classifier":
        """The network as it was judged after `step`; RunError where that is none of `moments`."""
        from seethrough.runs import past

        return past.classifier_at(self, step)

    def optimizer_memory(self, weights_sha256: str | None = None) -> "dict[str, Tensor]":
        """What its optimizer remembers beside these weights, or the newest; for `learning_step`."""
        from seethrough.runs import remembered

        return remembered.optimizer_memory(self, weights_sha256)

    def continuation(
        self, *, step: int | None = None, remembers: bool | None = None
    ) -> "Continuation":
        """Its training gone on with on a copy: its own next batches, whole steps; see `take`.

        From its newest checkpoint, or, with less of what it takes, from the moment after `step`;
        with `remembers=False` the optimizer begins with an empty memory. The run stays as it is.
        """
        from seethrough.runs import continued

        return continued.continuation(self, step=step, remembers=remembers)

    def edited(self, change: "Change", *, step: int | None = None) -> "Run":
        """A copy of its network, with this change, as a run of its own, judged on the same photos.

        `change` as in `classifier.what_if`; its photo and temperature are no part of a network.
        With `step`, the network of that moment. This run stays as it is.
        """
        from seethrough.runs import edited, record

        made = edited.edited(self, change, step=step)
        for _ in record.record(made, dataset=made.dataset()):
            pass
        return made

    def timeline(self) -> "Timeline":
        """Some test photos at every moment: when they were learned, and which units died."""
        from seethrough.runs import timeline

        return timeline.of(self)

    @property
    def predictions(self) -> "Predictions":
        """What the finished network says of every test image."""
        from seethrough.runs import results

        return results.predictions(self)

    def dataset(self) -> "Dataset":
        """The images it learned from, loaded again; RunError where they are others now."""
        from seethrough.runs import results

        return results.dataset(self)

    def log(self, *, after: int = 0) -> Iterator[tuple[int, LogEvent]]:
        """Each event of the log after byte `after`, with the byte at which its line ends."""
        return log.read(self.folder / "log.jsonl", after=after)


def _make_again(run: Run) -> str:
    return f"make it again from the last checkpoint: seethrough train --resume {run.id}."


def _why_no_report(run: Run) -> str:
    state = run.summary.state
    if state == "finished":
        return "no images were set aside for testing, or the report was deleted."
    return f"a report is made at the end, and this run is {state}."


def default_runs_dir() -> Path:
    """Where runs live: SEETHROUGH_RUNS, or the user's data folder."""
    given = os.environ.get("SEETHROUGH_RUNS")
    return Path(given).expanduser() if given else platformdirs.user_data_path("seethrough") / "runs"


def runs_place(given: str | Path | None) -> Path:
    """That folder, or where runs live."""
    return default_runs_dir() if given is None else Path(given).expanduser()


def open_run(
    reference: str | Path, runs_dir: str | Path | None = None, *, code: str | None = None
) -> Run:
    """The run with this id, a unique beginning of one, this folder, or the `last` one.

    `code` names the function that makes its network (`nets.py:make`), where that is code which was
    not named on this machine before, or lies elsewhere now: it may be imported then.
    """
    return dataclasses.replace(_found(reference, runs_place(runs_dir)), code=code)


def _found(reference: str | Path, place: Path) -> Run:
    folder, ids = Path(reference).expanduser(), run_ids(place)
    is_folder = isinstance(reference, Path) or os.sep in reference or reference in {".", ".."}
    is_here = bool(reference) and reference not in ids and (folder / manifest.FILE).exists()
    if is_folder or is_here:
        return Run(folder, manifest.read(folder))
    reference = str(reference)
    if not ids:
        raise RunError(
            f"There is no run {reference!r}.",
            why=f"there are no runs in {place}.",
            fix="train one: seethrough train FOLDER; or say where they are with --runs-dir.",
        )
    if reference in ids:
        return find_run(reference, place)
    if reference == "last":
        return find_run(max(ids, key=lambda each: _created(place / each)), place)
    matching = [each for each in ids if reference and each.startswith(reference)]
    if len(matching) == 1:
        return find_run(matching[0], place)
    if matching:
        raise RunError(
            f"{reference!r} may mean {len(matching)} runs.",
            why=f"{_listed(matching)} begin with it.",
            fix="write more of the name.",
        )
    near = difflib.get_close_matches(reference, ids, n=3, cutoff=0.5)
    raise RunError(
        f"There is no run {reference!r} in {place}.",
        why=f"the nearest names are {_listed(near)}." if near else "no name is like it.",
        fix="`seethrough runs` lists them all.",
    )


def find_run(run_id: str, runs_dir: Path) -> Run:
    """The run with exactly this id: for readers that take ids and never paths."""
    if run_id not in run_ids(runs_dir):
        raise RunError(
            f"There is no run {run_id!r}.",
            why="no folder of that name holds a run.",
            fix="look at the list of runs.",
        )
    return Run(runs_dir / run_id, manifest.read(runs_dir / run_id))


def run_ids(runs_dir: Path) -> list[str]:
    """The names of all runs, in alphabetical order."""
    try:
        with os.scandir(runs_dir) as entries:
            return sorted(
                entry.name
                for entry in entries
                if entry.is_dir() and os.path.exists(f"{entry.path}/{manifest.FILE}")  # noqa: PTH110
            )
    except FileNotFoundError:
        return []


def _created(folder: Path) -> str:
    try:
        return str(manifest.raw(folder).get("created", ""))
    except RunError:
        return ""


def _listed(names: list[str]) -> str:
    shown = ", ".join(names[:5])
    return f"{shown} and {len(names) - 5} more" if len(names) > 5 else shown
