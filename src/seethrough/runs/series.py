"""The log of a run for other programs: a table of comma-separated values, and TensorBoard's files.

    csv           a row a step and a row an epoch, in the order of the log; empty: not known
    tensorboard   one file of scalars; its times are those of the run

    kind, step, epoch, elapsed_s                         of both kinds of row
    loss, lr                                             of a step
    train_loss, train_accuracy, test_loss, test_accuracy, images_per_second
    seconds.PART, gradient_norm.LAYER, update_share.LAYER   of an epoch

In TensorBoard these are loss/step, learning_rate, loss/training, loss/test, accuracy/training,
accuracy/test, images_per_second, seconds/PART, gradient_norm/LAYER and update_share/LAYER. The
library `tensorboard` is an extra, loaded when it is needed. Raises RunError and StorageError.
"""

import csv
import io
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

from seethrough.errors import RunError
from seethrough.runs import durable
from seethrough.runs.folder import Run
from seethrough.runs.log import LogEvent

Value = float | int | str | None

_TAGS = {
    "loss": "loss/step",
    "lr": "learning_rate",
    "train_loss": "loss/training",
    "test_loss": "loss/test",
    "train_accuracy": "accuracy/training",
    "test_accuracy": "accuracy/test",
    "images_per_second": "images_per_second",
}
_VERSION = "brain.Event:2"  # of the files that TensorBoard reads
_BOTH = ("kind", "step", "epoch", "elapsed_s")
_OF_STEP = ("loss", "lr")
_OF_EPOCH = ("train_loss", "train_accuracy", "test_loss", "test_accuracy", "images_per_second")


def rows(run: Run) -> Iterator[dict[str, Value]]:
    """Steps and epochs as flat rows, in the order of the log."""
    for _, event in run.log():
        if event["kind"] == "step":
            yield {name: event[name] for name in (*_BOTH, *_OF_STEP)}
        elif event["kind"] == "epoch":
            yield {**{name: event[name] for name in (*_BOTH, *_OF_EPOCH)}, **_parts(event)}


def to_csv(run: Run) -> str:
    """The whole log as one table, with a line of titles."""
    found = list(rows(run))
    titles = list(
        dict.fromkeys([*_BOTH, *_OF_STEP, *_OF_EPOCH, *(name for r in found for name in r)])
    )
    text = io.StringIO()
    table = csv.DictWriter(text, titles, restval="", lineterminator="\n")
    table.writeheader()
    table.writerows(found)
    return text.getvalue()


def to_tensorboard(run: Run, folder: Path) -> Path:
    """Write the whole log as a file in `folder`, which TensorBoard is then pointed at.

    The file is named after the run: written again, it takes the place of what was there.
    """
    try:
        from tensorboard.compat.proto.event_pb2 import Event
        from tensorboard.compat.proto.summary_pb2 import Summary
        from tensorboard.summary.writer.record_writer import RecordWriter
    except ImportError as error:
        raise RunError(
            "TensorBoard's files need a library that is not installed.",
            why=f"{error}.",
            fix="pip install 'seethrough[tensorboard]', or take --csv, which needs none.",
        ) from error
    began = datetime.fromisoformat(run.manifest.created).timestamp()
    content = io.BytesIO()
    file = RecordWriter(content)
    file.write(Event(wall_time=began, file_version=_VERSION).SerializeToString())
    for row in rows(run):
        found = [
            Summary.Value(tag=_TAGS.get(name, name.replace(".", "/", 1)), simple_value=value)
            for name, value in row.items()
            if name not in _BOTH and isinstance(value, float | int)
        ]
        at, step = began + float(row["elapsed_s"] or 0.0), row["step"]
        told = Event(wall_time=at, step=step, summary=Summary(value=found))
        file.write(told.SerializeToString())
    path = folder / f"events.out.tfevents.{int(began)}.{run.id}"
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise durable.refused(path, len(content.getvalue()), error) from error
    durable.write(path, content.getvalue())
    return path


def _parts(event: LogEvent) -> dict[str, Value]:
    """What an epoch tells of its time and of its layers; old logs tell nothing of layers."""
    layers = event.get("layers", ())
    return {
        **{f"seconds.{part}": seconds for part, seconds in event["time_s"].items()},
        **{f"gradient_norm.{layer['name']}": layer["gradient_norm"] for layer in layers},
        **{f"update_share.{layer['name']}": layer["update_share"] for layer in layers},
    }
