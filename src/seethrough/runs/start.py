"""Beginning with the weights of another run instead of with nothing.

    start.safetensors   in the new run's folder: the other run's weights, normalisation included

Instead of a run, a network can be named that comes with the program (`runs.shipped`), or one that
others published (`runs.pretrained`).

The network is the same. Where the classes differ in any way (names, number, order), the layer that
answers for them begins anew and learns alone for the first fifth of the epochs; then all layers
learn, each the more slowly the nearer it is to the photo (`train.pace`). Raises RunError.
"""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

import torch
from torch import Tensor, nn

from seethrough.errors import RunError
from seethrough.model import checkpoint
from seethrough.model.checkpoint import weights_sha256
from seethrough.model.coded import ModuleSpec, Network, Origin
from seethrough.model.make import make, restore
from seethrough.model.spec import to_text
from seethrough.runs.folder import Run
from seethrough.runs.manifest import Published, Start
from seethrough.train.pace import Pace, slower_below
from seethrough.train.recipe import Recipe

FILE = "start.safetensors"
EDITED = "edited.safetensors"  # of a network that was changed by hand (`runs.edited`)
FIRST_SHARE = 0.2  # of the epochs, in which a new head learns alone
SMALLEST = 0.1  # share of the learning rate that the first layer gets

_NOTHING, _ONE = (0.0, 0.0, 0.0), (1.0, 1.0, 1.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """Where the weights come from: a run, a network that comes with the program, or another's."""

    id: str
    network: Network  # naming it imports nothing
    buildable: Callable[[], Network]  # the same, if its code may be imported here
    classes: tuple[str, ...]
    module: Callable[[], nn.Module]  # with its weights
    published: Published | None = None  # of weights that others published

    @classmethod
    def of_run(cls, run: Run) -> "Source":
        """A run's network as it was last kept."""
        return cls(
            id=run.id,
            network=run.network,
            buildable=lambda: run.buildable,
            classes=run.manifest.dataset.classes,
            module=lambda: run.classifier.module,
        )

    @classmethod
    def again(cls, run: Run, start: Start) -> "Source":
        """What a run began with, from the run's own folder."""
        tensors, notes = checkpoint.read(run.folder / FILE)
        classes = tuple(json.loads(notes["classes"]))
        return cls(
            id=start.run,
            network=run.network,
            buildable=lambda: run.buildable,
            classes=classes,
            module=partial(restore, run.network, len(classes), tensors),
            published=start.published,
        )


def begun(source: Source, network: Network, classes: Sequence[str]) -> tuple[Start, bytes]:
    """What the manifest says of the beginning, and the bytes of the file with the weights."""
    own = source.network
    text = own.text if isinstance(own, ModuleSpec) else to_text(own)
    other = RunError(
        f"{source.id} has another network.",
        why=f"its own is {text} for {own.image_px} px.",
        fix="leave the network and the image size out: they come with the weights.",
    )
    if (own.image_px, text) != (network.image_px, _text(network, own)):
        raise other
    module = source.module()
    shapes = {name: tuple(tensor.shape) for name, tensor in module.state_dict().items()}
    if shapes != _shapes(network, len(source.classes)):
        raise other
    is_same = tuple(classes) == source.classes
    head = () if is_same else head_of(network, len(source.classes))
    start = Start(
        run=source.id,
        weights_sha256=weights_sha256(module),
        head=head,
        first_share=0.0 if is_same else FIRST_SHARE,
        smallest=SMALLEST,
        published=source.published,
    )
    notes = {"schema": "1", "run": source.id}
    notes["classes"] = json.dumps(source.classes, ensure_ascii=False)
    return start, checkpoint.pack(module.state_dict(), notes)


def head_of(network: Network, num_classes: int) -> tuple[str, ...]:
    """The weights that answer for the classes: those with another shape for one class more."""
    some, more = (_shapes(network, count) for count in (num_classes, num_classes + 1))
    head = tuple(name for name, shape in some.items() if more.get(name) != shape)
    if some.keys() != more.keys() or not head:
        raise RunError(
            f"{network.name} does not show which layer answers for the classes.",
            why="its weights are the same, or others altogether, for one class more.",
            fix="let num_classes be the units of its last layer, and of nothing else.",
        )
    return head


def put_into(network: nn.Module, run: Run, start: Start) -> None:
    """Give the untrained network of a new run the weights that it begins with."""
    tensors, _ = checkpoint.read(run.folder / FILE)
    own = network.state_dict()
    kept: dict[str, Tensor] = {
        name: own[name] if name in start.head else tensor for name, tensor in tensors.items()
    }
    checkpoint.load_into(network, kept)


def put_edited(network: nn.Module, run: Run) -> None:
    """Give the untrained network of a run that was changed by hand its weights."""
    checkpoint.load_into(network, checkpoint.read(run.folder / EDITED)[0])


def pace_of(network: nn.Module, start: Start, recipe: Recipe) -> Pace:
    """How quickly its layers learn."""
    first = max(1, round(start.first_share * recipe.epochs)) if start.first_share else 0
    return slower_below(
        network,
        smallest=start.smallest,
        first=start.head,
        first_epochs=min(first, recipe.epochs - 1),
    )


def _text(network: Network, own: Network) -> str:
    """The network's text; one's own code is the same where it was named in place of the other."""
    if isinstance(network, ModuleSpec) and network.origin is Origin.REFERENCE:
        is_code = isinstance(own, ModuleSpec) and own.origin is Origin.REFERENCE
        return own.text if is_code and isinstance(own, ModuleSpec) else network.text
    return network.text if isinstance(network, ModuleSpec) else to_text(network)


def _shapes(network: Network, num_classes: int) -> dict[str, tuple[int, ...]]:
    has_sizes = isinstance(network, ModuleSpec) and network.has_sizes_alone
    with torch.device("meta" if has_sizes else "cpu"):
        module = make(network, num_classes=num_classes, mean=_NOTHING, std=_ONE, seed=0)
    return {name: tuple(tensor.shape) for name, tensor in module.state_dict().items()}
