"""From a configuration of the library transformers to a torch module, and back to its text.

    {"family": "resnet", "depths": [2, 2], "hidden_sizes": [64, 128], …}

The text holds a family and the numbers that are its own, all of them, those left at their defaults
too: nothing else is kept of a published configuration, and nothing else is read of a run's. It
names no code. The families are the library's convolutional classifiers, listed here; a
configuration that brings its own code is refused, and the library is told never to run any.

Raises SpecError for what is no such classifier, CheckpointError for weights that do not fit.
"""

import dataclasses
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from torch import Tensor, nn

from seethrough.errors import CheckpointError, SpecError
from seethrough.model.hub.library import quiet, transformers

FAMILIES = (
    "bit",
    "convnext",
    "convnextv2",
    "efficientnet",
    "mobilenet_v1",
    "mobilenet_v2",
    "poolformer",
    "regnet",
    "resnet",
)
_MAX_TEXT = 100_000  # characters, as of every text of a network
_ENDING = "ForImageClassification"
# What building and filling a network says of numbers or files that cannot be.
_WRONG = (
    SafetensorError,
    OSError,
    RuntimeError,
    ValueError,
    TypeError,
    AttributeError,
    AssertionError,
    LookupError,
    ArithmeticError,
)


class Answer(nn.Module):
    """The logits out of what a classifier of the library returns: it computes nothing."""

    def forward(self, said: Mapping[str, Tensor]) -> Tensor:
        """One number for each class, n k."""
        return said["logits"]


def text_of(stored: Mapping[str, Any], name: str) -> str:
    """The text of a published configuration; `name` stands in the errors."""
    family = stored.get("model_type")
    if family == "timm_wrapper" or (family is None and "pretrained_cfg" in stored):
        raise SpecError(
            f"{name} is a network of the library timm.",
            why="timm cannot be imported without torchvision, which fits one version of torch "
            "only; so it is not used here.",
            fix="take one that was published for transformers: hf:microsoft/resnet-18, for "
            "instance.",
        )
    if "auto_map" in stored and family not in FAMILIES:
        raise SpecError(
            f"{name} brings code of its own.",
            why="its configuration names Python files (auto_map), and code that comes with "
            "weights is never run here.",
            fix=f"take a network of one of these families: {', '.join(FAMILIES)}.",
        )
    kinds = [str(kind) for kind in stored.get("architectures") or ()]
    if family not in FAMILIES or not any(kind.endswith(_ENDING) for kind in kinds):
        raise SpecError(
            f"{name} is no convolutional image classifier that is known here.",
            why=f"its configuration says model_type {_shown(family)}, "
            f"architectures {_shown(', '.join(kinds))}.",
            fix=f"take an image classifier of one of these families: {', '.join(FAMILIES)}.",
        )
    config = _config(family, stored, name)
    own = {field: getattr(config, field) for field in _own_fields(type(config))}
    if own.get("num_channels", 3) != 3:
        raise SpecError(
            f"{name} reads images of {own['num_channels']} channels.",
            why="photos have three: red, green, blue.",
            fix="take a network for photos in colour.",
        )
    return json.dumps({"family": family, **own}, indent=1)


def classes_of(stored: Mapping[str, Any], name: str) -> tuple[str, ...]:
    """The names of a published network's classes, in the order of its logits."""
    labels = stored.get("id2label") or {number: f"LABEL_{number}" for number in range(2)}
    try:
        numbered = {int(number): str(label) for number, label in labels.items()}
        return tuple(numbered[number] for number in range(len(numbered)))
    except (AttributeError, KeyError, TypeError, ValueError):
        raise SpecError(
            f"{name} does not say which classes it tells apart.",
            why="in its configuration, id2label does not number them from 0 on.",
            fix="take another revision of it.",
        ) from None


def build(text: str, num_classes: int) -> nn.Sequential:
    """The network of a text with untrained weights, in float32, in training mode.

    Standardised floats n 3 h w in, logits n num_classes out. Draws from torch's random numbers.
    """
    stored = _parsed(text)
    config = _config(stored["family"], stored, "The network", num_classes)
    library = transformers()
    with quiet():
        model = library.AutoModelForImageClassification.from_config(
            config, dtype=torch.float32, trust_remote_code=False
        )
    return _answering(model).train()


def load(folder: Path, text: str, num_classes: int, name: str) -> nn.Sequential:
    """The same with the weights in the folder's model.safetensors, in evaluation mode."""
    config = _config(_parsed(text)["family"], _parsed(text), name, num_classes)
    library = transformers()
    try:
        with quiet():
            model, told = library.AutoModelForImageClassification.from_pretrained(
                folder,
                config=config,
                dtype=torch.float32,
                use_safetensors=True,
                local_files_only=True,
                trust_remote_code=False,
                output_loading_info=True,
            )
    except _WRONG as error:
        raise _unfitting(name, f"{type(error).__name__}: {error}") from error
    missing = [key for key in told["missing_keys"] if not key.endswith("num_batches_tracked")]
    for wrong, keys in (("missing", missing), ("of another shape", told["mismatched_keys"])):
        if found := sorted(map(str, keys)):
            raise _unfitting(name, f"{wrong}: {', '.join(found[:5])}")
    return _answering(model).eval()


def _answering(model: nn.Module) -> nn.Sequential:
    chain = nn.Sequential()
    chain.add_module("network", model)
    chain.add_module("answer", Answer())
    return chain


def _config(family: str, fields: Mapping[str, Any], name: str, num_classes: int = 2) -> Any:
    """The library's configuration with the family's own numbers, and nothing else."""
    kind = transformers().CONFIG_MAPPING[family]
    from huggingface_hub.errors import StrictDataclassError  # what it says of wrong numbers

    own = {field: fields[field] for field in _own_fields(kind) if field in fields}
    try:
        return kind(**own, num_labels=num_classes)
    except (StrictDataclassError, TypeError, ValueError, ArithmeticError, LookupError) as error:
        raise SpecError(
            f"The configuration of {name} cannot be used.",
            why=f"the library said {type(error).__name__}: {error}",
            fix="take another revision of it, or pip install -U 'seethrough[hf]'.",
        ) from error


def _own_fields(kind: type) -> tuple[str, ...]:
    """What a family's configuration says that not every configuration says."""
    everyone = {field.name for field in dataclasses.fields(transformers().PreTrainedConfig)}
    names = [field.name for field in dataclasses.fields(kind)]
    return tuple(name for name in names if name not in everyone and not name.startswith("_"))


def _parsed(text: str) -> dict[str, Any]:
    try:
        stored = json.loads(text[: _MAX_TEXT + 1])
    except ValueError:
        stored = None
    if not isinstance(stored, dict) or stored.get("family") not in FAMILIES:
        raise SpecError(
            "The network's configuration cannot be read.",
            why=f"it is no JSON object with one of these families: {', '.join(FAMILIES)}.",
            fix="restore run.json from a copy, or train again.",
        )
    return stored


def _unfitting(name: str, why: str) -> CheckpointError:
    return CheckpointError(
        f"The weights of {name} do not fit its configuration.",
        why=f"{why[:500]}.",
        fix="take another revision of it; of a folder: save it anew with save_pretrained.",
    )


def _shown(value: object) -> str:
    return repr(str(value)[:80]) if value else "nothing"
