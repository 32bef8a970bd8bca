"""What users hold in their hand: a network with its classes, ready for photos.

    classifier.predict("cup.jpg")     one photo judged
    classifier.trace("cup.jpg")       every layer's input and output for it
    classifier.backward("cup.jpg", "cup")   and what comes back from the loss of its true class
    classifier.what_if("cup.jpg", Change(off=(("relu2", 3),)))   what it would say then
    classifier.evaluate(photos)       how good it is on the test photos of a data set

A photo is a path, the bytes of a file, or an array of pixels (height, width, red green blue; 0..255
as uint8). All three go through the same fitting, so equal photos get equal numbers.
`wrap` makes a classifier of any trained torch module; the module itself stays as it is.
"""

import dataclasses
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import numpy as np
from jaxtyping import Bool, Float32, Shaped, UInt8
from torch import Tensor, nn

from seethrough.data.dataset import MOST_TRAINED, Dataset, Split
from seethrough.data.decode import Fitted, fit, picture
from seethrough.data.sheet import names_in
from seethrough.errors import DataError, ShapeError
from seethrough.evaluate.report import Report, evaluate
from seethrough.evaluate.several import SeveralReport, evaluate_several
from seethrough.explain.backward import Backward, backward
from seethrough.explain.trace import Trace, trace
from seethrough.explain.what_if import Change, WhatIf, what_if
from seethrough.explain.workbench import Workbench
from seethrough.learning.breath import Breath, go_on
from seethrough.learning.check import GradientCheck, gradient_check
from seethrough.learning.step import NOTHING, PLAIN, LearningStep, learning_step
from seethrough.model.build import Normalise
from seethrough.model.mode import one_thread, place_of
from seethrough.model.onnx.reading import read as read_onnx
from seethrough.model.onnx.writing import Export
from seethrough.model.onnx.writing import write as write_onnx
from seethrough.model.several import is_several
from seethrough.predict.folder import contents, predict_files
from seethrough.predict.prediction import Prediction, Unreadable, prediction
from seethrough.predict.probabilities import Ending, answers, judge, probabilities
from seethrough.predict.views import averaged
from seethrough.train.recipe import Recipe

Photo = str | Path | bytes | np.ndarray
Label = str | int | Collection[str | int]  # of several labels all that a photo has


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Classifier:
    """A network that takes pixel values 0..255, the names of its outputs, and the size it wants."""

    module: nn.Module = field(repr=False)
    classes: tuple[str, ...]
    image_px: int
    network: str | None = None  # its text; None: it was not built here
    trained_on: str | None = field(default=None, repr=False)  # fingerprint; None: unknown
    ending: Ending = field(default=Ending.LOGITS, repr=False)

    @property
    def is_several(self) -> bool:
        """Whether it answers for each of several labels on its own, yes or no."""
        return self.ending is Ending.EACH_LABEL

    def fitted(self, photo: Photo, *, name: str | None = None) -> Fitted:
        """The square of pixels that the network sees of a photo, and what it does not see."""
        if isinstance(photo, np.ndarray):
            pixels = _checked(photo)
            height, width, _ = pixels.shape
            square = fit(pixels, self.image_px)
            return Fitted(pixels=square, width=width, height=height, note=None, remark=None)
        if isinstance(photo, bytes):
            return picture(photo, name=name or "image", image_px=self.image_px)
        if not isinstance(photo, str | Path):
            raise _no_photo(f"A {type(photo).__name__}")
        path = Path(photo)
        return picture(contents(path), name=name or path.name, image_px=self.image_px)

    def predict(self, photo: Photo, *, name: str | None = None) -> Prediction:
        """The photo's class, or its labels, and how sure the network is of each."""
        shown = name or (str(photo) if isinstance(photo, str | Path) else "image")
        pixels = self.fitted(photo, name=name).pixels
        said = judge(self.module, pixels, ending=self.ending)
        return self.named(shown, said)

    def named(self, path: str, probabilities: Float32[np.ndarray, " k"]) -> Prediction:
        """What these probabilities say of a photo."""
        return prediction(path, self.classes, probabilities, is_several=self.is_several)

    def predict_files(self, paths: Iterable[str | Path]) -> Iterator[Prediction | Unreadable]:
        """One answer for every file; a folder stands for the files in it."""
        return predict_files(self.module, self.classes, self.image_px, paths, ending=self.ending)

    def trace(self, photo: Photo, *, name: str | None = None) -> Trace:
        """Every layer's input and output for one photo, and the arithmetic between them."""
        pixels = self.fitted(photo, name=name).pixels
        with one_thread():  # as for `predict`: both give the same numbers
            return trace(self.module, pixels, classes=self.classes)

    def backward(self, photo: Photo, label: Label, *, name: str | None = None) -> Backward:
        """The gradient of −log p(label) at every activation and every weight, for one photo.

        `label` is the name of its true class, or its number; of several labels all that the photo
        has, as names, numbers or "cat|dog", and the loss is the mean of their own. Raises DataError
        for a class that the network does not know, LayerError where no gradient goes through it.
        """
        pixels = self.fitted(photo, name=name).pixels
        with one_thread():
            return backward(self.module, pixels, self._truth(label), classes=self.classes)

    def learning_step(
        self,
        photo: Photo,
        label: Label,
        recipe: Recipe | None = None,
        *,
        learning_rate: float | None = None,
        memory: Mapping[str, Tensor] = NOTHING,
        name: str | None = None,
    ) -> LearningStep:
        """What one step of learning on this photo would change; the network stays as it is.

        Without a recipe: plain gradient descent, no momentum, no decay, at a rate of 0.01.
        """
        chosen = PLAIN if recipe is None else recipe
        pixels = self.fitted(photo, name=name).pixels
        with one_thread():
            return learning_step(
                self.module,
                pixels,
                self._truth(label),
                chosen,
                learning_rate=learning_rate,
                memory=memory,
                classes=self.classes,
            )

    def what_if(
        self, photo: Photo, change: Change, *, before: Trace | None = None, name: str | None = None
    ) -> WhatIf:
        """The photo through a changed copy of the network; the network stays as it is.

        `before` is the photo's trace, where it is known already.
        """
        pixels = self.fitted(photo, name=name).pixels
        with one_thread():
            return what_if(self.module, pixels, change, classes=self.classes, before=before)

    def workbench(self, photo: Photo, *, before: Trace | None = None) -> Workbench:
        """The photo, to try one change after another on: the numbers of `what_if`, much sooner."""
        pixels = self.fitted(photo).pixels
        known = self.trace(pixels) if before is None else before
        return Workbench(self.module, pixels, known)

    def gradient_check(
        self,
        photo: Photo,
        label: Label,
        parameter: str,
        *index: int,
        name: str | None = None,
        breath: Breath = go_on,
    ) -> GradientCheck:
        """The gradient of one weight (conv1.weight), beside what trying it gives.

        `breath` is called between the layers; what it raises ends the check.
        """
        pixels, number = self.fitted(photo, name=name).pixels, self._truth(label)
        with one_thread():
            return gradient_check(
                self.module, pixels, number, parameter, *index, ending=self.ending, breath=breath
            )

    def probabilities(self, images: UInt8[np.ndarray, "n h w 3"]) -> Float32[np.ndarray, "n k"]:
        """Probabilities of many images that have the network's size already."""
        self._check_size(images.shape[1], images.shape[2])
        return probabilities(self.module, images, ending=self.ending)

    def evaluate(self, dataset: Dataset, *, views: int = 1) -> Report | SeveralReport:
        """The report on the test photos of a data set that has these classes.

        With 2 or 6 `views` of each photo their answers are averaged, and the report says so.
        If the network learned from this data set, its training photos are judged too, at most
        15,000 of them: the report then names the gap.
        """
        self._check_size(dataset.image_px, dataset.image_px)
        if dataset.is_several != self.is_several:
            raise DataError(
                f"{dataset.name} has {_kind(dataset.is_several)}.",
                why=f"the network answers for {_kind(self.is_several)}.",
                fix="give photos whose labels are said in the same way.",
            )
        if dataset.classes != self.classes:
            raise DataError(
                f"{dataset.name} has the classes {_list(dataset.classes)}.",
                why=f"the network knows {_list(self.classes)}, in this order.",
                fix="give photos of the same classes, in folders with the same names.",
            )
        test, train = dataset.indices(Split.TEST), dataset.some(Split.TRAIN, MOST_TRAINED)
        if len(test) == 0:
            raise DataError(
                f"{dataset.name} has no test photo.",
                why="a network can only be judged on photos that it did not learn from.",
                fix="add photos, or a folder test/ with some of every class.",
            )
        learned_here = self.trained_on == dataset.fingerprint and len(train) > 0
        accuracy = self._accuracy(dataset, train, views) if learned_here else None
        score = evaluate_several if self.is_several else evaluate
        report = score(
            probabilities(self.module, dataset.images[test], ending=self.ending, views=views),
            dataset.labels[test],
            self.classes,
            train_accuracy=accuracy,
            train_images=len(train) if learned_here else 0,
        )
        warnings = (*dataset.caveats, *report.warnings)
        return dataclasses.replace(report, warnings=warnings, views=views)

    def export(
        self, path: str | Path, *, images: UInt8[np.ndarray, "n h w 3"] | None = None
    ) -> Export:
        """Write an ONNX file that takes pixels and answers with probabilities.

        The file is computed by onnx's own reference on `images` (noise, if none are given) and
        only written where the answers agree. An existing file is never overwritten.
        """
        if images is None:
            shape = (4, self.image_px, self.image_px, 3)
            images = np.random.default_rng(0).integers(256, size=shape, dtype=np.uint8)
        self._check_size(*images.shape[1:3])
        return write_onnx(
            self.module,
            Path(path),
            images,
            classes=self.classes,
            ends_in_softmax=self.ending is Ending.PROBABILITIES,
        )

    def _truth(self, label: Label) -> int | tuple[int, ...]:
        """The class that is meant; of several labels those."""
        if not self.is_several and isinstance(label, str | int):
            return self._number(label)
        if isinstance(label, str):
            label = names_in(label)
        each = (label,) if isinstance(label, int) else label
        return tuple(self._number(one) for one in each)

    def _number(self, label: str | int) -> int:
        if isinstance(label, str) and label not in self.classes:
            raise DataError(
                f"There is no class {label[:80]!r}.",
                why=f"the network knows {_list(self.classes)}.",
                fix="name one of them: the loss is taken from its probability.",
            )
        return self.classes.index(label) if isinstance(label, str) else label

    def _accuracy(self, dataset: Dataset, indices: np.ndarray, views: int) -> float:
        """In pieces, so that memory does not grow with the number of photos."""
        hits = 0
        for start in range(0, len(indices), 1024):
            piece = indices[start : start + 1024]
            images = dataset.images[piece]
            said = averaged(partial(answers, self.module), images, views)
            hits += int(right(said, dataset.labels[piece]).sum())
        return hits / len(indices)

    def _check_size(self, height: int, width: int) -> None:
        if (height, width) != (self.image_px, self.image_px):
            raise ShapeError(
                f"The images have {width} × {height} px.",
                why=f"this network looks at {self.image_px} × {self.image_px} px.",
                fix=f"load them with image_px={self.image_px}.",
            )


def wrap(
    module: nn.Module | str | Path,
    *,
    classes: Sequence[str] | None = None,
    image_px: int | None = None,
    mean: Sequence[float] | None = None,
    std: Sequence[float] | None = None,
) -> Classifier:
    """A classifier of any trained torch module, or ONNX file, that answers with logits or softmax.

    The module takes float images n 3 h w of 0..1, standardised if `mean` and `std` are given (one
    number for each colour, on the scale 0..1). A visible layer, `normalise`, is put before it;
    nothing in the module itself is changed, neither now nor by looking at it later.
    Of an ONNX file, `classes` and `image_px` may be left out where the file tells them; one that
    was exported here has its normalisation inside. Raises ShapeError for what does not fit.
    """
    if (mean is None) != (std is None):
        raise ShapeError(
            "Only one of mean and std was given.",
            why="standardising takes both: (pixel / 255 − mean) / std.",
            fix="give both, or neither if the module takes plain 0..1.",
        )
    takes_pixels = False
    if isinstance(module, str | Path):
        file = read_onnx(module)
        module, takes_pixels = file.module, file.takes_pixels
        classes, image_px = classes or file.classes, image_px or file.image_px
        if takes_pixels and mean is not None:
            raise ShapeError(
                "This file normalises by itself.",
                why="it was exported with its mean and deviation inside.",
                fix="leave mean and std out.",
            )
    if not classes or image_px is None:
        raise ShapeError(
            "It is not known how many classes the network has, or how large its images are.",
            why="the network alone does not tell.",
            fix="say classes=[…] and image_px=….",
        )
    whole = nn.Sequential()
    if not takes_pixels:
        plain = Normalise(mean or (0.0, 0.0, 0.0), std or (1.0, 1.0, 1.0))
        whole.add_module("normalise", plain.to(*place_of(module)))
    whole.add_module("network", module)
    return of_pixels(whole, classes=classes, image_px=image_px)


def of_pixels(module: nn.Module, *, classes: Sequence[str], image_px: int) -> Classifier:
    """A classifier of a module that takes pixel values 0..255 itself, as ours do.

    It is asked once. Raises ShapeError where it does not answer with one number for each class.
    """
    ending = _ending(module, len(classes), image_px)
    return Classifier(module=module, classes=tuple(classes), image_px=image_px, ending=ending)


def _ending(module: nn.Module, num_classes: int, image_px: int) -> Ending:
    """Ask once: what does not fit is refused here, and whether softmax comes last is seen."""
    noise = np.random.default_rng(0)
    image = noise.integers(0, 256, (image_px, image_px, 3), dtype=np.uint8)
    try:
        with one_thread():
            said = answers(module, image[None])[0]
    except (RuntimeError, ValueError, TypeError, IndexError) as error:
        if isinstance(error, ShapeError):
            raise
        raise ShapeError(
            f"The module cannot be asked about an image of {image_px} × {image_px} px.",
            why=f"it raised {type(error).__name__}: {error}",
            fix="check image_px, and that it takes float images of the shape (n, 3, h, w).",
        ) from error
    if len(said) != num_classes:
        raise ShapeError(
            f"The module gives {len(said)} numbers for {num_classes} classes.",
            why="every class needs one.",
            fix="name as many classes as the module has outputs, in their order.",
        )
    if is_several(module):
        return Ending.EACH_LABEL
    with one_thread():
        seen = trace(module, image)
    return Ending.PROBABILITIES if np.array_equal(said, seen.probabilities) else Ending.LOGITS


def right(
    said: Float32[np.ndarray, "n k"], labels: Shaped[np.ndarray, " n *k"]
) -> Bool[np.ndarray, " n"]:
    """Whether each photo is judged right, of several labels every one of them.

    Of one label `said` may be logits as well.
    """
    if labels.ndim == 1:
        return np.asarray(said.argmax(axis=1) == labels)
    return np.asarray(((said >= 0.5) == (labels == 1)).all(axis=1))


def _kind(is_several: bool) -> str:  # noqa: FBT001
    return "several labels a photo" if is_several else "one label a photo"


def _checked(photo: np.ndarray) -> UInt8[np.ndarray, "h w 3"]:
    if photo.dtype != np.uint8 or photo.ndim != 3 or photo.shape[2] != 3 or photo.size == 0:
        raise _no_photo(f"An array of {photo.dtype} {photo.shape}")
    return photo


def _no_photo(given: str) -> DataError:
    return DataError(
        f"{given} is no photo.",
        why="a photo is a path, a file's bytes, or uint8 pixels (height, width, 3) from 0 to 255.",
        fix="convert it, for example: np.asarray(image.convert('RGB')) with Pillow.",
    )


def _list(classes: Sequence[str]) -> str:
    shown = ", ".join(classes[:8])
    return shown if len(classes) <= 8 else f"{shown} and {len(classes) - 8} more"
