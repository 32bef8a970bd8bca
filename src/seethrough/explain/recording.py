"""Watching a module compute: every call of the framework in order, with the module it came from.

A mode of the framework (TorchFunctionMode) is handed every call of a torch function, method or
operator, whoever wrote it: `nn.ReLU()`, `F.relu(x)` and `x.relu()` look the same. Forward hooks
tell which module is at work. Nothing is replaced and nothing stays attached.

With gradients, every use of a parameter is a leaf of its own that shares the parameter's numbers:
so what one use contributes is known where a module is used twice, frozen parameters have gradients
too, and nobody's `.grad` is written.

A tensor is followed by its identity and its version: a number that was changed in place behind the
recorder's back is seen as a tensor of unknown origin, not as the number it used to be.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from threading import get_ident
from types import NoneType
from typing import Protocol, runtime_checkable

import torch
from torch import Tensor, nn
from torch.jit import ScriptModule
from torch.overrides import TorchFunctionMode

Argument = object
_NUMBERS = (int, float, str, NoneType)


@dataclass(slots=True, eq=False)
class ModuleCall:
    """One run of a module's forward."""

    path: str  # features.0; empty for the outermost
    module: nn.Module
    above: "ModuleCall | None"
    layers: int = 0  # that it or a module inside it computed


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Call:
    """One call of a torch function, after it returned."""

    function: Callable[..., Argument]
    arguments: Sequence[Argument]
    keywords: Mapping[str, Argument]
    result: Argument
    module: ModuleCall

    @property
    def name(self) -> str:
        """The function's name without the underscore of its in-place form."""
        name = getattr(self.function, "__name__", "unknown")
        return name.rstrip("_") if not name.endswith("__") else name

    def argument(self, place: int, name: str, default: Argument = None) -> Argument:
        """By position or by name."""
        if place < len(self.arguments):
            return self.arguments[place]
        return self.keywords.get(name, default)


@runtime_checkable
class Listener(Protocol):
    """Is told of calls: before, to look at what goes in; after, to look at what came out."""

    def before(self, tensors: Sequence[Tensor], module: ModuleCall) -> None:
        """The tensors that a call is about to read."""

    def after(self, call: Call) -> None:
        """What the call returned."""

    def left(self, call: ModuleCall, inputs: Argument, output: Argument) -> None:
        """A module's forward returned."""


def tensors_in(value: Argument) -> Iterator[Tensor]:
    """Every tensor in nested arguments, in order."""
    if isinstance(value, Tensor):
        yield value
    elif isinstance(value, list | tuple):
        for item in value:
            if not isinstance(item, _NUMBERS):
                yield from tensors_in(item)
    elif isinstance(value, dict | Mapping):
        for item in value.values():
            if not isinstance(item, _NUMBERS):
                yield from tensors_in(item)


@dataclass(slots=True)
class _Place:
    """The module whose forward is running, innermost."""

    now: ModuleCall
    thread: int = field(default_factory=get_ident)  # another may use the module meanwhile
    inputs: list[Argument] = field(default_factory=list)


class _Mode(TorchFunctionMode):
    def __init__(self, listener: Listener, place: _Place, *, with_gradients: bool) -> None:
        super().__init__()
        self._listener, self._place = listener, place
        self._with_gradients = with_gradients

    def __torch_function__(
        self,
        func: Callable[..., Argument],
        types: Sequence[type],
        args: Sequence[Argument] = (),
        kwargs: Mapping[str, Argument] | None = None,
    ) -> Argument:
        keywords = kwargs or {}
        if self._with_gradients:
            args = [_own_leaf(value) for value in args]
            keywords = {name: _own_leaf(value) for name, value in keywords.items()}
        module = self._place.now
        self._listener.before([*tensors_in(args), *tensors_in(keywords)], module)
        result = func(*args, **keywords)
        self._listener.after(
            Call(
                function=func,
                arguments=args,
                keywords=keywords,
                result=result,
                module=module,
            )
        )
        return result


def _own_leaf(value: Argument) -> Argument:
    """For a parameter, a tensor of the same numbers that has a gradient of its own."""
    if isinstance(value, nn.Parameter) and value.is_floating_point():
        return value.detach().requires_grad_()
    if isinstance(value, list | tuple) and any(isinstance(item, nn.Parameter) for item in value):
        return type(value)(_own_leaf(item) for item in value)
    return value


@contextmanager
def looking(
    module: nn.Module, listener: Listener, *, with_gradients: bool = False
) -> Iterator[None]:
    """Inside, `listener` hears every call, in evaluation mode."""
    place = _Place(ModuleCall("", module, None))
    handles = []
    training = [(part, part.training) for part in module.modules()]
    try:
        for part, _ in training:
            part.training = False
        for path, part in module.named_modules():
            if not isinstance(part, ScriptModule):  # these take no hooks
                handles += _hooks(path, part, place, listener)
        with (
            torch.inference_mode(mode=False),
            torch.set_grad_enabled(with_gradients),
            torch.random.fork_rng(devices=[]),
            _Mode(listener, place, with_gradients=with_gradients),
        ):
            yield
    finally:
        for handle in handles:
            handle.remove()
        for part, was_training in training:
            part.training = was_training


def _hooks(
    path: str, part: nn.Module, place: _Place, listener: Listener
) -> list[torch.utils.hooks.RemovableHandle]:
    def enter(
        module: nn.Module, inputs: tuple[Argument, ...], keywords: dict[str, Argument]
    ) -> None:
        if get_ident() != place.thread:
            return
        place.now = ModuleCall(path, module, place.now)
        place.inputs.append((inputs, keywords))

    def leave(
        module: nn.Module, _: tuple[Argument, ...], __: dict[str, Argument], output: Argument
    ) -> None:
        if get_ident() != place.thread:
            return
        call, inputs = place.now, place.inputs.pop()
        assert call.above is not None
        place.now = call.above
        with torch._C.DisableTorchFunction():  # what the listener asks is none of the module's
            listener.left(call, inputs, output)

    return [
        part.register_forward_pre_hook(enter, with_kwargs=True),
        part.register_forward_hook(leave, with_kwargs=True, always_call=True),
    ]
