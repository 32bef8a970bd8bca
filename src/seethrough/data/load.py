"""A folder, a zip or the name of a built-in set → a data set, decoded once and then kept.

    find → list → lay out → (cached?) → decode → split

Photos are decoded by several threads (Pillow works outside Python's lock), written to the cache
as they come, in the order of their paths: memory does not grow with their number. A photo that
cannot be used is listed with its reason and left out.

Raises DataError if there is nothing sound to learn from, StorageError if the cache cannot be
written. The source itself is only ever read.
"""

import hashlib
import os
from collections import Counter, deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from functools import lru_cache, partial
from pathlib import Path
from statistics import median_low
from typing import Final, TypeAlias

import numpy as np

from seethrough.data import cache, layout, remarks, sheet
from seethrough.data.archive import Archive
from seethrough.data.builtin import BUILTIN, builtin_path
from seethrough.data.dataset import Dataset, Problem
from seethrough.data.decode import picture, size_px
from seethrough.data.fingerprint import content_digest, fingerprint
from seethrough.data.folder import Folder
from seethrough.data.header import check_file_size
from seethrough.data.labelled import arrange
from seethrough.data.layout import Layout, Photo
from seethrough.data.sheet import Sheet
from seethrough.data.source import Source, digest
from seethrough.data.split import Split, SplitPlan, assign, assign_several
from seethrough.errors import DataError

Progress: TypeAlias = Callable[[str, int, int], None]  # what is being done, how many, of how many

_SMALL_PX: Final = 32
_LARGE_PX: Final = 64  # from this median short side on
_MAX_IMAGE_PX: Final = 1024
_MEASURED: Final = 128  # files whose headers decide the size
_AT_ONCE: Final = 16  # photos in one piece of work
_MAX_WORKERS: Final = 8


def load(
    source: str | Path,
    *,
    labels: str | Path | None = None,
    image_px: int | None = None,
    plan: SplitPlan | None = None,
    progress: Progress | None = None,
) -> Dataset:
    """All photos of a source, each a square of `image_px` (None: what suits their size).

    What they show is said by their folders, or by `labels`, a CSV (`data.sheet`).
    """
    _check_size(image_px)
    name, origin, opened = found(source)
    said = None if labels is None else sheet.read(labels)
    kept = _kept(name, origin, opened, said, image_px, progress or _nobody)
    plan = plan or SplitPlan()
    divide = assign if kept.labels.ndim == 1 else assign_several
    splits = divide(kept.labels, kept.ids, plan) if kept.splits is None else kept.splits
    if not np.any(splits == Split.TEST) and (kept.splits is not None or plan.test > 0):
        raise DataError(
            f"{name}: no photos to test on.",
            why="each class has one photo, or none of those set aside can be read.",
            fix="add photos: a score needs some that the network has never seen.",
        )
    on_content = remarks.on_content(kept, splits)
    return Dataset(
        name=name,
        source=origin,
        fingerprint=fingerprint(kept.content, splits),
        image_px=kept.image_px,
        classes=kept.classes,
        images=kept.images,
        labels=kept.labels,
        splits=splits,
        ids=kept.ids,
        paths=kept.paths,
        sizes=kept.sizes,
        problems=kept.problems,
        notes=(*kept.notes, *on_content),
        caveats=(*filter(remarks.is_caveat, kept.notes), *on_content),
        plan=plan,
        labels_file=None if said is None else said.path,
    )


def _check_size(image_px: int | None) -> None:
    if image_px is not None and not 1 <= image_px <= _MAX_IMAGE_PX:
        raise DataError(
            f"image_px={image_px} cannot be used.",
            why=f"images are squares of 1 to {_MAX_IMAGE_PX} px a side.",
            fix="leave it out, or choose 32 or 64.",
        )


def _kept(
    name: str,
    origin: str,
    opened: Source,
    said: Sheet | None,
    image_px: int | None,
    progress: Progress,
) -> cache.Decoded:
    """What the cache has of the source, decoded now where it has nothing."""

    def read() -> Layout:
        listing = opened.listing()
        return layout.read(listing, name=name) if said is None else arrange(listing, said, name)

    arranged = None if image_px else read()
    side = image_px if arranged is None else _suitable(opened, arranged.photos)
    assert side is not None  # given, or chosen from the photos
    folder = cache.place(origin, side, None if said is None else said.path)
    stamp = opened.stamp() if said is None else digest([opened.stamp(), said.sha256])
    kept = cache.read(folder, stamp)
    if kept is not None:
        return kept
    return _decode_all(opened, arranged or read(), name, side, folder, stamp, progress)


def original(dataset: Dataset, index: int) -> bytes:
    """The file of one image as it lies in the source."""
    path = dataset.paths[index]
    content = _reopened(dataset.source).read(path)
    if _file_id(content) != int(dataset.ids[index]):
        raise DataError(
            f"{path}: the file was changed.",
            why="it is not the one that was loaded.",
            fix="load the photos again.",
        )
    return content


@dataclass(frozen=True, slots=True)
class _Seen:
    """One photo, decoded."""

    photo: Photo
    pixels: np.ndarray
    file_digest: str
    size: tuple[int, int]
    remark: str | None


def _nobody(what: str, done: int, total: int) -> None:
    """The progress that nobody asked for."""


def found(source: str | Path) -> tuple[str, str, Source]:
    """Its name, the text that finds it again, and the source itself."""
    if isinstance(source, str) and source in BUILTIN:
        return source, source, Archive(builtin_path(source))
    path = Path(source).expanduser()
    try:
        absolute = path.resolve()
        if absolute.is_dir():
            return absolute.name or str(absolute), str(absolute), Folder(absolute)
        if absolute.is_file():
            return absolute.stem, str(absolute), Archive(absolute)
    except (OSError, RuntimeError, ValueError) as error:
        raise DataError(
            f"{source}: cannot be looked up.",
            why=f"the system says: {error}.",
            fix="check the path, and your permission to read the folders above it.",
        ) from error
    exists = os.path.lexists(path)
    raise DataError(
        f"{source}: {'neither folder nor file' if exists else 'there is no such folder or zip'}.",
        why=f"it was looked for at {absolute}.",
        fix=f"check the path, or use a built-in set: {', '.join(BUILTIN)}.",
    )


def _suitable(source: Source, photos: Sequence[Photo]) -> int:
    """The size that suits the median of the short sides, measured on some of the headers."""
    step = -(-len(photos) // _MEASURED)
    sides: list[int] = []
    for photo in photos[::step]:
        try:
            sides.append(min(size_px(source.read(photo.path), name=photo.path)))
        except DataError:
            continue  # it will be listed when all are decoded
    return _SMALL_PX if not sides or median_low(sides) < _LARGE_PX else _LARGE_PX


def _decode_all(
    source: Source,
    arranged: Layout,
    name: str,
    side: int,
    folder: Path,
    stamp: str,
    progress: Progress,
) -> cache.Decoded:
    seen: list[tuple[Photo, str, tuple[int, int]]] = []
    problems = list(arranged.problems)
    said: list[tuple[str, str]] = []
    with cache.Writing(folder, image_px=side, at_most=len(arranged.photos)) as written:
        for number, result in enumerate(_in_order(source, arranged.photos, side), start=1):
            if isinstance(result, Problem):
                problems.append(result)
            else:
                written.append(result.pixels)
                seen.append((result.photo, result.file_digest, result.size))
                if result.remark:
                    said.append((result.photo.path, result.remark))
            if number % _AT_ONCE == 0 or number == len(arranged.photos):
                progress("Reading photos", number, len(arranged.photos))
        photos = [photo for photo, _, _ in seen]
        _refuse_gaps(arranged, photos, problems, name)
        facts = cache.Facts(
            content=content_digest(
                side,
                arranged.classes,
                ((photo.path, photo.label, file_digest) for photo, file_digest, _ in seen),
                is_several=arranged.is_several,
            ),
            image_px=side,
            classes=arranged.classes,
            labels=[photo.label for photo in photos],  # type: ignore[arg-type]  # all of one kind
            is_several=arranged.is_several,
            splits=_given(photos),
            ids=[file_digest[:16] for _, file_digest, _ in seen],
            paths=[photo.path for photo in photos],
            sizes=[size for _, _, size in seen],
            problems=sorted(problems, key=lambda problem: problem.path),
            notes=(*arranged.notes, *remarks.on_files(said, problems, len(arranged.photos))),
        )
        return written.publish(facts, stamp)


def _given(photos: Sequence[Photo]) -> list[int] | None:
    splits = [int(photo.split) for photo in photos if photo.split is not None]
    return splits or None


def _in_order(source: Source, photos: Sequence[Photo], side: int) -> Iterator[_Seen | Problem]:
    """Decode ahead with several threads, but hand out in the order of `photos`."""
    workers = min(_MAX_WORKERS, _usable_cpus())
    look = partial(_look_at, source, side)
    waiting: deque[Future[list[_Seen | Problem]]] = deque()
    pool = ThreadPoolExecutor(workers, thread_name_prefix="decode")
    try:
        for start in range(0, len(photos), _AT_ONCE):
            waiting.append(pool.submit(look, photos[start : start + _AT_ONCE]))
            if len(waiting) > 2 * workers:
                yield from waiting.popleft().result()
        while waiting:
            yield from waiting.popleft().result()
    finally:  # also when the one who asked has stopped asking
        pool.shutdown(cancel_futures=True)


def _look_at(source: Source, side: int, photos: Sequence[Photo]) -> list[_Seen | Problem]:
    results: list[_Seen | Problem] = []
    for photo in photos:
        try:
            check_file_size(photo.size, name=photo.path)
            content = source.read(photo.path)
            fitted = picture(content, name=photo.path, image_px=side)
        except DataError as error:
            results.append(Problem.of(photo.path, error))
            continue
        size = (fitted.width, fitted.height)
        file_digest = hashlib.sha256(content).hexdigest()
        results.append(_Seen(photo, fitted.pixels, file_digest, size, fitted.remark))
    return results


def _refuse_gaps(
    arranged: Layout, photos: Sequence[Photo], problems: Sequence[Problem], name: str
) -> None:
    """Every class needs a photo to learn from that could be read."""
    learned: Counter[int] = Counter()
    for photo in photos:
        if photo.split in (None, 0):
            learned.update([photo.label] if isinstance(photo.label, int) else photo.label)
    empty = [label for position, label in enumerate(arranged.classes) if not learned[position]]
    if empty:
        first = f"{problems[0].path}: {problems[0].what}" if problems else "no file was found"
        raise DataError(
            f"{name}: no readable photo of {', '.join(map(repr, empty[:5]))}.",
            why=f"not usable: {layout.counted(len(problems), 'file')}; the first: {first}",
            fix="replace these files, or remove the folder of the class.",
        )


def _file_id(content: bytes) -> int:
    return int.from_bytes(hashlib.sha256(content).digest()[:8], "big")


def _reopened(source: str) -> Source:
    if source in BUILTIN:
        source = str(builtin_path(source))
    path = Path(source)
    if path.is_dir():
        return Folder(path)
    try:
        state = path.stat()
    except OSError as error:
        raise DataError(
            f"{source}: the photos are no longer there.",
            why=f"the system says: {error.strerror}.",
            fix="bring them back to this place, or train on the place where they are now.",
        ) from error
    return _archive(source, state.st_mtime_ns, state.st_size)


@lru_cache(maxsize=2)
def _archive(source: str, changed_ns: int, size: int) -> Archive:
    """The list of files in a large zip takes a tenth of a second to check: not for every photo."""
    return Archive(Path(source))


def _usable_cpus() -> int:
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
