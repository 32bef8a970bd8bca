"""Train a convolutional neural network on your images and see every number in it.

    import seethrough as see

    photos = see.load("photos/")
    run = see.train(photos)
    print(run.report)
    run.classifier.predict("cup.jpg")
    run.classifier.trace("cup.jpg").equation("conv1", unit=3, row=10, column=12)

Every name is loaded when it is first used: importing this package loads neither torch nor a server.
"""

import importlib
import inspect
from types import ModuleType
from typing import TYPE_CHECKING, Any

from seethrough import train as _train_room
from seethrough.version import __version__

if TYPE_CHECKING:
    from seethrough.classifier import Classifier, wrap
    from seethrough.data.dataset import Dataset
    from seethrough.data.load import load
    from seethrough.data.split import Split, SplitPlan
    from seethrough.errors import SeethroughError
    from seethrough.model.presets import preset
    from seethrough.model.spec import NetworkSpec
    from seethrough.runs.comparison import compare
    from seethrough.runs.folder import Run, open_run
    from seethrough.runs.record import train
    from seethrough.train.place import Place
    from seethrough.train.recipe import Recipe
    from seethrough.window import studio

# Where each public name lives.
_HOMES = {
    "Classifier": "seethrough.classifier",
    "Dataset": "seethrough.data.dataset",
    "NetworkSpec": "seethrough.model.spec",
    "Place": "seethrough.train.place",
    "Recipe": "seethrough.train.recipe",
    "Run": "seethrough.runs.folder",
    "SeethroughError": "seethrough.errors",
    "Split": "seethrough.data.split",
    "SplitPlan": "seethrough.data.split",
    "compare": "seethrough.runs.comparison",
    "load": "seethrough.data.load",
    "open_run": "seethrough.runs.folder",
    "preset": "seethrough.model.presets",
    "studio": "seethrough.window",
    "wrap": "seethrough.classifier",
}

__all__ = [
    "Classifier",
    "Dataset",
    "NetworkSpec",
    "Place",
    "Recipe",
    "Run",
    "SeethroughError",
    "Split",
    "SplitPlan",
    "__version__",
    "compare",
    "load",
    "open_run",
    "preset",
    "studio",
    "train",
    "wrap",
]


def __getattr__(name: str) -> object:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(_HOMES[name]), name)


def __dir__() -> list[str]:
    return sorted(__all__)


class _Room(ModuleType):
    """`seethrough.train` is a room of this house and a function: calling the room calls `train`."""

    def __call__(self, *arguments: Any, **options: Any) -> Any:
        return _train()(*arguments, **options)

    @property
    def __signature__(self) -> inspect.Signature:
        return inspect.signature(_train())


def _train() -> Any:
    return importlib.import_module("seethrough.runs.record").train


# Python binds an imported sub-package to its parent's attribute of that name, so a function
# `train` beside the room `train` would be there until the room is imported, and then no more.
if not TYPE_CHECKING:
    train = _train_room
    train.__class__ = _Room
