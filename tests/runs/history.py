"""What two recordings of one training must have in common, to the last bit."""

from seethrough.runs.folder import Run

_CLOCKS = {"elapsed_s", "time_s", "images_per_second", "share_of_limit", "train_seconds"}


def history(run: Run) -> list[dict]:
    """The log without notes, checkpoints and whatever a clock said."""
    return [
        {name: value for name, value in line.items() if name not in _CLOCKS}
        for _, line in run.log()
        if line["kind"] in {"started", "step", "epoch", "end"}
    ]


def notes(run: Run) -> list[str]:
    """The sentences in the log."""
    return [line["text"] for _, line in run.log() if line["kind"] == "note"]


def weights(run: Run) -> bytes:
    """The bytes of the finished weights, digest of the file included."""
    return (run.folder / "weights.safetensors").read_bytes()


def moments(run: Run) -> bytes:
    """The bytes of every moment that was kept."""
    return (run.folder / "moments.bin").read_bytes()
