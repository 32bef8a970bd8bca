"""One photo and one network, to try changes on: each answered as fast as the framework computes.

What `what_if` says, number by number and to the last bit, without the arithmetic between them.
The first change, and the first after a function was exchanged, writes down a tape of the network;
every one after it plays that. Where there can be no tape, each change is a whole trace.

The module stays as it is. While it is on the bench, its code and settings may not change.
"""

from collections import OrderedDict
from collections.abc import Mapping

import numpy as np
from jaxtyping import UInt8
from torch import Tensor, nn

from seethrough.data.alter import altered
from seethrough.explain.outcome import Outcome
from seethrough.explain.tape import Hook, Tape, taped
from seethrough.explain.trace import Trace
from seethrough.explain.what_if import (
    Change,
    check_temperature,
    copied,
    grouped,
    pass_on,
    set_function,
    silencer,
    what_if,
    write_weight,
)
from seethrough.model.mode import one_thread

TAPES = 4  # of networks with exchanged functions, the one without among them

Functions = tuple[tuple[str, str], ...]


class Workbench:
    """A tape for every set of exchanged functions, the newest kept."""

    def __init__(self, module: nn.Module, image: UInt8[np.ndarray, "h w 3"], before: Trace) -> None:
        self._module = getattr(module, "_orig_mod", module)  # what torch.compile wraps
        self._image = image
        self._before = before
        self._tapes: OrderedDict[Functions, Tape | None] = OrderedDict()

    def outcome(self, change: Change) -> Outcome:
        """What `what_if` says. Raises what it raises."""
        check_temperature(change)
        with one_thread():
            tape = self._tape(change.functions)
            return self._whole(change) if tape is None else self._played(tape, change)

    def _played(self, tape: Tape, change: Change) -> Outcome:
        pixels = altered(self._image, change.photo)
        weights = _written(dict(self._module.named_parameters()), change)
        off = grouped(self._before, self._module, change.off)
        if not tape.paths.issuperset(off):
            return self._whole(change)
        hooks: dict[str, Hook] = {
            name: silencer(name, units, self._before.layer(name).shape)
            for name, units in off.items()
        }
        own = {name: tensor for name, tensor in weights.items() if name in tape.names}
        played = tape.play(pixels, own, hooks)
        outputs = {
            layer.name: output
            for layer, output in zip(self._before.layers, played.outputs, strict=True)
        }
        logits, probabilities = pass_on(self._before, outputs, off, change.temperature)
        return Outcome(
            before=self._before,
            outputs=outputs,
            logits=logits,
            probabilities=probabilities,
            pixels=pixels,
        )

    def _whole(self, change: Change) -> Outcome:
        classes = self._before.classes
        return what_if(
            self._module, self._image, change, classes=classes, before=self._before
        ).outcome

    def _tape(self, functions: Mapping[str, str]) -> Tape | None:
        key = tuple(sorted(functions.items()))
        held = self._tapes.get(key)
        if key not in self._tapes or (held is not None and not held.is_current):
            module = self._module
            if key:
                module = copied(module, set())
                for name, function in key:
                    set_function(self._before, module, name, function)
            self._tapes[key] = self._fitting(taped(module, self._image, self._before.classes))
        self._tapes.move_to_end(key)
        while len(self._tapes) > TAPES:
            self._tapes.popitem(last=False)
        return self._tapes[key]

    def _fitting(self, tape: Tape | None) -> Tape | None:
        """Only with the layers that the trace before has."""
        if tape is None:
            return None
        is_fitting = tape.layers == tuple(layer.name for layer in self._before.layers)
        return tape if is_fitting else None


def _written(learned: dict[str, Tensor], change: Change) -> dict[str, Tensor]:
    """Copies of the parameters that the change writes into."""
    names = {name for name, _ in change.weights if name in learned}
    written = {name: learned[name].detach().clone() for name in names}
    for (name, index), value in change.weights.items():
        write_weight({**learned, **written}, name, index, value)
    return written
