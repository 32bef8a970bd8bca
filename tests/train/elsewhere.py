"""A device that no machine has, to find out whether a training keeps to the one it was given.

Its tensors say that they lie on "meta" and cannot be mixed with others, as on a graphics card; what
they hold lies in the processor's memory, and the processor computes it: the numbers are the same.
"""

from typing import Any

import torch
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves, tree_map

NAME = "meta"
_AT = torch.ops.aten
_MOVES = (_AT._to_copy.default, _AT.copy_.default)


class There(Tensor):
    """A tensor that lies there."""

    @staticmethod
    def __new__(cls, here: Tensor) -> "There":
        made = Tensor._make_wrapper_subclass(
            cls,
            here.size(),
            strides=here.stride(),
            storage_offset=here.storage_offset(),
            dtype=here.dtype,
            device=NAME,
        )
        made.here = here
        return made

    @property
    def data(self) -> Tensor:  # a module's parameters get other memory through it
        return Tensor.data.__get__(self)

    @data.setter
    def data(self, new: "There") -> None:
        Tensor.data.__set__(self, new)
        self.here = new.here

    def tolist(self) -> Any:
        """Torch reads no subclass."""
        return self.here.tolist()

    @classmethod
    def __torch_dispatch__(cls, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        return _computed(func, args, kwargs or {})


class Elsewhere(TorchDispatchMode):
    """Inside, tensors can be made there and moved there and back."""

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        return _computed(func, args, kwargs or {})


def _computed(func: Any, args: Any, kwargs: dict[str, Any]) -> Any:
    """What the processor makes of it; it lies there if something of it did, or it was asked to."""
    every = [each for each in tree_leaves((args, kwargs)) if isinstance(each, Tensor)]
    there = [each for each in every if isinstance(each, There)]
    others = [each for each in every if not isinstance(each, There) and each.dim() > 0]
    if there and others and func not in _MOVES:
        raise RuntimeError(f"{func}: a tensor lies here that the others cannot be mixed with")
    wanted = kwargs.get("device")
    if wanted is not None:
        is_there = torch.device(wanted).type == NAME
        kwargs = {**kwargs, "device": torch.device("cpu")}
    else:
        is_there = isinstance(args[0], There) if func in _MOVES else bool(there)
    found = func(*tree_map(_held, args), **tree_map(_held, kwargs))
    known = {id(each.here): each for each in there}  # what is changed in place stays itself
    return tree_map(lambda each: _wrapped(each, known), found) if is_there else found


def _held(each: Any) -> Any:
    return each.here if isinstance(each, There) else each


def _wrapped(each: Any, known: dict[int, There]) -> Any:
    """Numbers that are read stay numbers."""
    if not isinstance(each, Tensor):
        return each
    return known[id(each)] if id(each) in known else There(each)
