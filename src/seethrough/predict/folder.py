"""Many files, judged one after the other: each gives a prediction or a reason why not.

A folder stands for all files inside it, in the order of their names, those in its sub-folders
included; names that begin with a dot are passed over. Nothing else is left out: a text file in the
folder comes back as unreadable. Files are only read.
"""

import os
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from torch import nn

from seethrough.data.decode import picture
from seethrough.data.limits import MAX_FILE_BYTES
from seethrough.errors import DataError, SeethroughError
from seethrough.predict.prediction import Prediction, Unreadable, prediction, unreadable
from seethrough.predict.probabilities import Ending, judge


def predict_files(
    module: nn.Module,
    classes: Sequence[str],
    image_px: int,
    paths: Iterable[str | Path],
    *,
    ending: Ending = Ending.LOGITS,
) -> Iterator[Prediction | Unreadable]:
    """One answer for every file, as soon as it is there; each file is judged alone."""
    for given in paths:
        for path in _files(Path(given)):
            try:
                fitted = picture(contents(path), name=path.name, image_px=image_px)
            except SeethroughError as error:
                yield unreadable(str(path), error)
            else:
                said = judge(module, fitted.pixels, ending=ending)
                is_several = ending is Ending.EACH_LABEL
                yield prediction(str(path), classes, said, is_several=is_several)


def contents(path: Path) -> bytes:
    """A file's bytes, if it is not larger than any photo."""
    try:
        if path.is_dir():
            raise DataError(
                f"{path} is a folder without files.",
                why="only files can be judged.",
                fix="give image files, or a folder with some.",
            )
        if path.exists() and not path.is_file():  # a pipe would be waited for, for ever
            raise DataError(
                f"{path} is no ordinary file.",
                why="only files can be judged.",
                fix="give image files, or a folder with some.",
            )
        with path.open("rb") as file:
            content = file.read(MAX_FILE_BYTES + 1)
    except OSError as error:
        raise DataError(
            f"{path} cannot be read.",
            why=f"{error.strerror or error}.",
            fix="check the path and that you may read it.",
        ) from None
    return content  # `picture` refuses what is larger than MAX_FILE_BYTES


def _files(path: Path) -> Iterator[Path]:
    """The path itself, or the files in it; an empty folder stands for itself."""
    if not path.is_dir():
        yield path
        return
    is_empty = True
    for folder, folders, files in os.walk(path):  # does not follow links, so it ends
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        for name in sorted(files):
            if not name.startswith("."):
                is_empty = False
                yield Path(folder, name)
    if is_empty:
        yield path
