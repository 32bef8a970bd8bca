"""Networks that are code: a function of somebody's own, called and put behind our normalisation.

    def make(num_classes, image_px):      either is given if the function takes it
        return a torch module: standardised floats n 3 h w → logits n num_classes

`load_module` imports what a reference names, which runs it: only call it with a reference that the
user gave. The function is called with seeded random numbers (torch, NumPy, Python's own); outside
they go on as if nothing had been drawn. Raises SpecError where there is no such function or it
fails, ShapeError where the module does not answer with one number for each class.
"""

import contextlib
import importlib
import importlib.util
import inspect
import random
import sys
from collections import OrderedDict
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from importlib.abc import InspectLoader
from types import CodeType, ModuleType

import numpy as np
import torch
from torch import Tensor, nn

from seethrough.errors import ShapeError, SpecError
from seethrough.model.build import Normalise
from seethrough.model.mode import evaluating, place_of
from seethrough.model.source import Source, find

# Where no photos say what is usual: grey of the middle, a quarter of the scale around it.
MEAN = (0.5, 0.5, 0.5)
STD = (0.25, 0.25, 0.25)

_NUMPY_SEEDS = 2**32


def load_module(
    reference: str,
    *,
    num_classes: int,
    image_px: int,
    mean: Sequence[float] = MEAN,
    std: Sequence[float] = STD,
    seed: int = 0,
) -> nn.Sequential:
    """Import the function, call it, and put `normalise` before the module that it returns.

    The result takes pixel values 0..255 as n 3 h w and answers with logits n k, in training mode,
    on the processor. The layers of a plain nn.Sequential keep their names; those of any other
    module begin with `network.`.
    """
    source = find(reference)
    with seeded(seed):
        function = _function(source)
        module = _made(source.reference, function, num_classes, image_px)
    return prepared(source.reference, module, mean, std, num_classes, image_px)


def prepared(
    name: str,
    module: nn.Module,
    mean: Sequence[float],
    std: Sequence[float],
    num_classes: int,
    image_px: int,
) -> nn.Sequential:
    """The module behind `normalise`, asked once whether it answers as a classifier does."""
    own = module.to("cpu")
    whole = joined(Normalise(mean, std).to(*place_of(own)), own)
    _check_answer(name, whole, num_classes, image_px)
    return whole.train()


def joined(normalise: Normalise, module: nn.Module) -> nn.Sequential:
    """Both as one; a plain chain of layers is continued, so that its layers keep their names."""
    layers: OrderedDict[str, nn.Module] = OrderedDict(normalise=normalise)
    names = [name for name, _ in module.named_children()]
    if type(module) is nn.Sequential and "normalise" not in names:
        layers.update(module.named_children())
    else:
        layers["network"] = module
    return nn.Sequential(layers)


@contextmanager
def seeded(seed: int) -> Iterator[None]:
    """Random numbers by the seed inside; outside, all generators stand where they stood."""
    own, numpy = random.getstate(), np.random.get_state()
    generator = torch.default_generator
    state = generator.get_state()
    try:
        random.seed(seed)
        np.random.seed(seed % _NUMPY_SEEDS)
        generator.manual_seed(seed)
        yield
    finally:
        generator.set_state(state)
        np.random.set_state(numpy)
        random.setstate(own)


def _function(source: Source) -> Callable[..., object]:
    try:
        module = _imported(source)
    except (Exception, SystemExit) as error:
        raise SpecError(
            f"{source.path} cannot be imported.",
            why=f"it raised {type(error).__name__}: {error}",
            fix=f"mend it until this works: python -c 'import {source.module or source.path.stem}'",
        ) from error
    found = getattr(module, source.function, None)
    if not callable(found):
        own = [
            name
            for name, value in vars(module).items()
            if inspect.isfunction(value) and value.__module__ == module.__name__
        ]
        raise SpecError(
            f"{source.path} has no function {source.function!r}.",
            why=f"its functions are {', '.join(own)}." if own else "it has no functions.",
            fix="name the function that returns the network.",
        )
    function: Callable[..., object] = found
    return function


class _AsRead(InspectLoader):
    """Runs the very text that was read and compared.

    Not the file, which may have changed since, nor its bytecode, which is taken for that of a file
    that was changed within a second and kept its size.
    """

    def __init__(self, source: Source) -> None:
        self._source = source

    def get_source(self, fullname: str) -> str:
        """The text."""
        return self._source.text

    def get_code(self, fullname: str) -> CodeType:
        """Compiled, with the path for tracebacks."""
        return self.source_to_code(self._source.text, str(self._source.path))


def _imported(source: Source) -> ModuleType:
    if source.module is not None:
        return importlib.import_module(source.module)
    # One name for a path and its content: a file that was changed is another module.
    name = f"_seethrough_{source.path.stem}_{source.sha256[:16]}_{hash(str(source.path)):x}"
    if name in sys.modules:
        return sys.modules[name]
    loader = _AsRead(source)
    found = importlib.util.spec_from_file_location(name, source.path, loader=loader)
    assert found is not None
    assert found.loader is not None
    module = importlib.util.module_from_spec(found)
    sys.modules[name] = module
    folder = str(source.path.parent)
    sys.path.append(folder)  # at the end: what is installed is never hidden by a neighbour's name
    try:
        found.loader.exec_module(module)
    except BaseException:
        del sys.modules[name]
        raise
    finally:
        sys.path.remove(folder)
    return module


def _made(name: str, function: Callable[..., object], num_classes: int, image_px: int) -> nn.Module:
    asked = {"num_classes": num_classes, "image_px": image_px}
    takes: Mapping[str, inspect.Parameter] = {}
    with contextlib.suppress(TypeError, ValueError):  # a function written in C does not tell
        takes = inspect.signature(function).parameters
    takes_all = any(each.kind is each.VAR_KEYWORD for each in takes.values())
    given = {key: value for key, value in asked.items() if takes_all or key in takes}
    try:
        module = _called(function, given)
    except Exception as error:
        said = ", ".join(f"{key}={value}" for key, value in given.items()) or "nothing"
        raise SpecError(
            f"{name} could not make a network.",
            why=f"called with {said} it raised {type(error).__name__}: {error}",
            fix="mend the function; it is called with num_classes and image_px, if it takes them.",
        ) from error
    if not isinstance(module, nn.Module):
        raise SpecError(
            f"{name} made no network.",
            why=f"it returned a {type(module).__name__}, not a torch.nn.Module.",
            fix="return the module.",
        )
    return module


def _called(function: Callable[..., object], given: dict[str, int]) -> object:
    """What takes **options may hand them on to a constructor that does not know `image_px`."""
    try:
        return function(**given)
    except TypeError as error:
        if "unexpected keyword argument 'image_px'" not in str(error):
            raise
    del given["image_px"]
    return function(**given)


def _check_answer(name: str, whole: nn.Sequential, num_classes: int, image_px: int) -> None:
    size = f"{image_px} × {image_px} px"
    try:
        with evaluating(whole), torch.no_grad(), seeded(0):
            answer = whole(torch.zeros(2, 3, image_px, image_px))
    except (RuntimeError, ValueError, TypeError, IndexError) as error:
        raise ShapeError(
            f"{name} cannot be asked about images of {size}.",
            why=f"it raised {type(error).__name__}: {error}",
            fix="check that it takes floats of the shape (n, 3, h, w), or choose another size.",
        ) from error
    wanted = (2, num_classes)
    if not isinstance(answer, Tensor) or tuple(answer.shape) != wanted:
        said = tuple(answer.shape) if isinstance(answer, Tensor) else type(answer).__name__
        raise ShapeError(
            f"{name} answers with {said} for two photos of {size}.",
            why=f"a classifier of {num_classes} classes answers with {wanted}.",
            fix="let its last layer give num_classes numbers for every photo, or name as many "
            "classes as it has outputs.",
        )
