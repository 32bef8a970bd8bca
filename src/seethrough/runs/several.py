"""What is not told yet of runs whose photos have several labels: refused, never told wrongly."""

from seethrough.errors import RunError
from seethrough.runs.folder import Run


def one_label(run: Run, what: str) -> None:
    """RunError where the run's photos have several labels; `what` would be asked of it."""
    if run.manifest.dataset.is_several:
        raise RunError(
            f"{run.id} has several labels a photo.",
            why=f"{what} is there for networks with one label a photo only, so far.",
            fix=f"look at its report: seethrough evaluate {run.id}; and at a photo forwards: "
            f"seethrough explain {run.id} PHOTO.",
        )
