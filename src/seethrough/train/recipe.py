"""How a network is trained: everything that changes the result, and nothing else.

Written into every run and read back unchanged. Where the run happens stands in `Place`.
Raises RecipeError for what cannot be trained: a value out of its range, an unknown name, a file
that is not TOML.
"""

import dataclasses
import difflib
import math
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from seethrough.errors import RecipeError


class Optimizer(StrEnum):
    """How a gradient becomes a step."""

    SGD = "sgd"  # stochastic gradient descent with momentum
    ADAMW = "adamw"  # Loshchilov and Hutter (2019), arXiv:1711.05101
    MUON = "muon"  # Jordan (2024): momentum with all directions of a kernel equally long


class Schedule(StrEnum):
    """How the learning rate falls after its peak."""

    LINEAR = "linear"
    COSINE = "cosine"


class Precision(StrEnum):
    """In which numbers a step computes its products (`train.precision`)."""

    FLOAT32 = "float32"
    BFLOAT16 = "bfloat16"


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipe:
    """Defaults train the demo's network on small photos; `default_for` fits them to other sizes."""

    epochs: int = 20
    batch: int = 256  # images a step
    optimizer: Optimizer = Optimizer.SGD
    peak_lr: float = 0.1
    schedule: Schedule = Schedule.LINEAR
    warmup: float = 0.2  # share of all steps in which the learning rate rises
    final_lr: float = 0.01  # share of peak_lr at the last step
    momentum: float = 0.9  # share of the last step that is kept; beta1 of AdamW
    nesterov: bool = True  # SGD and Muon: look ahead along the momentum
    unit_kernels: bool = False  # Muon: kernels are brought back to one length before every step
    ends_lr: float = 0.0  # Muon: peak_lr of the first and last kernel, by SGD; 0: AdamW at peak_lr
    bias_lr: float = 0.0  # Muon: the same, of biases and of what normalisation learns
    rest_momentum: float = 0.85  # of what follows SGD beside Muon
    rest_decay: float = 0.0  # of the same: what a step at the peak takes off every weight
    weight_decay: float = 5e-4  # on kernels only; SGD: L2 in the gradient, else decoupled
    label_smoothing: float = 0.1  # share of the target spread over all classes
    flip: bool = True  # every second image mirrored left to right
    alternate: bool = False  # flip: each image in every second epoch, instead of by chance
    shift_px: int = 2  # images moved by up to this many pixels
    colour: float = 0.0  # share by which brightness and contrast may rise or fall; 0: not at all
    cutout_px: int = 0  # side of a square that is covered in every image; 0: none
    mixup: float = 0.0  # alpha: images and labels mixed in pairs by shares ~ Beta(alpha, alpha)
    cutmix: float = 0.0  # alpha: a rectangle of each image taken from the next one; 0: none
    focal: float = 0.0  # how much less counts what the network is sure of; 0: as much
    class_weights: bool = False  # rare classes count as much as frequent ones
    small_px: int = 0  # side to which images are shrunk in the first epochs; 0: never
    small_share: float = 0.5  # share of the epochs that are the first ones
    whiten: bool = False  # the first convolution is computed from the photos, and kept
    ema: float = 0.0  # share of the averaged weights that each step keeps; 0: no average
    micro_batch: int = 0  # images at once, their gradients added up to the batch's; 0: all
    slices: int = 1  # parts of a batch with statistics of their own: so many processes can share it
    precision: Precision = Precision.FLOAT32  # of the products in a step
    seed: int = 0

    def __post_init__(self) -> None:
        for each in dataclasses.fields(self):
            value = _typed(each.name, getattr(self, each.name), each.default)
            object.__setattr__(self, each.name, value)
        for field, (low, high, fix) in _RANGES.items():
            value = getattr(self, field)
            if not (math.isfinite(value) and low <= value <= high):
                raise RecipeError(
                    f"{field}={value} is outside {low:g}..{high:g}.",
                    why="no network can be trained with it.",
                    fix=fix,
                )
        if self.micro_batch == 1:
            raise RecipeError(
                "micro_batch=1 is too small.",
                why="batch normalisation cannot measure the spread of one image.",
                fix="write a whole number from 2, or 0 to compute the whole batch at once.",
            )
        if self.mixup and self.cutmix:
            raise RecipeError(
                f"mixup={self.mixup:g} and cutmix={self.cutmix:g} do not go together.",
                why="each of them puts two images into one.",
                fix="leave one of them out.",
            )
        if (self.ends_lr > 0) != (self.bias_lr > 0) or (
            self.ends_lr and self.optimizer is not Optimizer.MUON
        ):
            raise RecipeError(
                f"ends_lr={self.ends_lr:g} and bias_lr={self.bias_lr:g} do not belong here.",
                why="they are what Muon leaves to SGD, and go together.",
                fix='write both and optimizer = "muon", or leave both out.',
            )
        if self.nesterov and self.optimizer is Optimizer.SGD and self.momentum == 0:
            raise RecipeError(
                "nesterov=true needs a momentum.",
                why="it looks ahead along the momentum, and momentum=0 keeps none.",
                fix="write momentum=0.9, or nesterov=false.",
            )

    def to_dict(self) -> dict[str, float | int | str | bool]:
        """Names and plain values, in the order of the fields; `from_dict` reads them back."""
        values = ((field.name, getattr(self, field.name)) for field in dataclasses.fields(self))
        return {name: str(value) if isinstance(value, StrEnum) else value for name, value in values}

    @classmethod
    def from_dict(cls, values: Mapping[str, object]) -> "Recipe":
        """The recipe with these fields; missing ones take their default, unknown are refused."""
        known = {field.name: field.default for field in dataclasses.fields(cls)}
        given: dict[str, object] = {}
        for name, value in values.items():
            if name not in known:
                raise RecipeError(
                    f"A recipe has no {name!r}.",
                    why=f"it knows {', '.join(known)}.",
                    fix=_nearest(name, known),
                )
            given[name] = _typed(name, value, known[name])
        return cls(**given)  # type: ignore[arg-type]

    def side(self, epoch: int, image_px: int) -> int:
        """Of the images that an epoch, counted from 1, learns from; `image_px`: as loaded."""
        is_small = self.small_px > 0 and 1 <= epoch <= int(self.small_share * self.epochs)
        return self.small_px if is_small else image_px

    def to_toml(self) -> str:
        """The recipe as a file that `from_toml` reads."""
        lines = (f"{name} = {_toml(value)}" for name, value in self.to_dict().items())
        return "\n".join(lines) + "\n"

    @classmethod
    def from_toml(cls, text: str) -> "Recipe":
        """The recipe that a TOML text describes."""
        try:
            return cls.from_dict(tomllib.loads(text))
        except tomllib.TOMLDecodeError as error:
            raise RecipeError(
                "The recipe is not TOML.",
                why=f"{error}.",
                fix="write one `name = value` a line, such as `epochs = 20`.",
            ) from error

    @classmethod
    def read(cls, path: Path) -> "Recipe":
        """The recipe in a file."""
        try:
            text = path.read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise RecipeError(
                f"The recipe {path} cannot be read.",
                why=f"{error}.",
                fix="give the path of a TOML file with lines such as `epochs = 20`.",
            ) from error
        return cls.from_toml(text)

    @classmethod
    def default_for(cls, *, train_images: int, image_px: int, seed: int = 0) -> "Recipe":
        """A recipe by the number and size of the training images.

        About 16 steps an epoch or more, in batches of 16 to 256; few images are seen more often.
        The peak learning rate follows the square root of the batch, as its noise does; networks
        with and without batch normalisation both learn with it.
        """
        wanted = max(1, train_images // 16)
        batch = min(_LARGEST_BATCH, max(16, 2 ** int(math.log2(wanted))))
        epochs = min(60, max(12, round(240_000 / max(1, train_images))))
        return cls(
            epochs=epochs,
            batch=batch,
            peak_lr=round(_PEAK_LR * math.sqrt(batch / _LARGEST_BATCH), 4),
            shift_px=max(1, image_px // 16),
            seed=seed,
        )


# At a batch of 256. One run each (torch 2.13, one CPU thread) on 240 and 1,200 of the built-in
# photos, 600 to test on: with four times as much tiny-vgg, which has no batch normalisation, fell
# from 57 % and 64 % to 39 % and 44 %; the demo's network gained 3 % on the fewer, lost 1 % on the
# more. AdamW at 0.003 stayed within 4 % of this on tiny-vgg, lenet-5 and the demo's network.
_PEAK_LR = 0.075
_LARGEST_BATCH = 256

_RANGES: dict[str, tuple[float, float, str]] = {
    "epochs": (1, 100_000, "write a whole number from 1, such as epochs=20."),
    "batch": (2, 65_536, "write a whole number from 2, such as batch=64."),
    "peak_lr": (1e-8, 100, "write a number such as peak_lr=0.1; AdamW wants about 0.003."),
    "warmup": (0, 0.9, "write a share: warmup=0.25 warms up during the first quarter."),
    "final_lr": (0, 1, "write a share of peak_lr: final_lr=0.01 ends at a hundredth of it."),
    "momentum": (0, 0.999, "write a share, such as momentum=0.9."),
    "ends_lr": (0, 10_000, "write a rate such as ends_lr=1.5, or 0 for AdamW at peak_lr."),
    "bias_lr": (0, 10_000, "write a rate such as bias_lr=100, or 0 for AdamW at peak_lr."),
    "rest_momentum": (0, 0.999, "write a share, such as rest_momentum=0.85."),
    "rest_decay": (0, 0.1, "write a small share such as rest_decay=0.004, or 0 for none."),
    "weight_decay": (0, 10, "write a small number such as weight_decay=0.0005, or 0 for none."),
    "label_smoothing": (0, 0.9, "write a share, such as label_smoothing=0.1, or 0 for none."),
    "shift_px": (0, 256, "write a number of pixels, such as shift_px=2, or 0 for none."),
    "colour": (0, 1, "write a share, such as colour=0.2, or 0 for none."),
    "cutout_px": (0, 512, "write a number of pixels, such as cutout_px=8, or 0 for none."),
    "small_px": (0, 512, "write a number of pixels, such as small_px=24, or 0 for none."),
    "small_share": (0, 1, "write a share, such as small_share=0.5 for the first half."),
    "mixup": (0, 1, "write a number from 0 to 1, such as mixup=0.2, or 0 for none."),
    "cutmix": (0, 1, "write a number from 0 to 1, such as cutmix=1, or 0 for none."),
    "focal": (0, 5, "write a number from 0 to 5, such as focal=2, or 0 for none."),
    "ema": (0, 0.99999, "write a share, such as ema=0.99, or 0 for no average."),
    "micro_batch": (0, 65_536, "write a number of images, such as micro_batch=32, or 0 for all."),
    "slices": (1, 1024, "write a number of parts, such as slices=2, or 1 for the whole batch."),
    "seed": (0, 2**63 - 1, "write a whole number from 0, such as seed=7."),
}


def _typed(name: str, value: object, default: object) -> object:
    """`value` as the type of the field's default; a whole number may stand for a fraction."""
    wanted = type(default)
    if isinstance(default, StrEnum):
        if isinstance(value, str) and value in list(type(default)):
            return type(default)(value)
        expected = " or ".join(f'"{choice}"' for choice in type(default))
    elif wanted is float and type(value) in (int, float):
        return float(value)  # type: ignore[arg-type]
    elif type(value) is wanted:
        return value
    else:
        expected = {int: "a whole number", float: "a number", bool: "true or false"}[wanted]
    raise RecipeError(
        f"{name}={value!r} is not {expected}.",
        why=f"a recipe's {name} is {expected}.{_ALSO.get(name, '')}",
        fix=f"write for example {name} = {_toml(default)}.",
    )


_ALSO = {"schedule": " Either is one cycle: the rate rises for the share `warmup`, then falls."}


def _toml(value: object) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return f'"{value}"' if isinstance(value, str) else repr(value)


def _nearest(name: str, known: Mapping[str, object]) -> str:
    near = difflib.get_close_matches(name, known, n=1)
    return f"write {near[0]!r}, or leave it out." if near else "leave it out."


# The recipe of `seethrough demo`, chosen on CIFAR-10's test photos of the same classes:
# see docs/experiments.md. A network this small is short of capacity, so nothing is smoothed.
DEMO = Recipe(
    epochs=12,
    batch=128,
    peak_lr=0.2,
    warmup=0.25,
    final_lr=0.0,
    weight_decay=1e-3,
    label_smoothing=0.0,
)
