"""What a user should know about their photos, in whole sentences with counts and examples."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import Final

import numpy as np
from jaxtyping import UInt8

from seethrough.data.cache import Decoded
from seethrough.data.dataset import Problem
from seethrough.data.layout import IS_THE_TEST, counted
from seethrough.data.split import Split

_MANY_UNUSED: Final = 0.05  # share of files from which a sentence says that it is a lot


def on_files(
    said: Iterable[tuple[str, str]], problems: Sequence[Problem], num_files: int
) -> list[str]:
    """On what was read: `said` are pairs of a path and a sentence about that file."""
    paths: dict[str, list[str]] = defaultdict(list)
    for path, sentence in said:
        paths[sentence].append(path)
    notes = [
        f"{sentence} ({counted(len(where), 'file')}: {where[0]}{', …' if len(where) > 1 else ''})"
        for sentence, where in sorted(paths.items())
    ]
    if problems and len(problems) > _MANY_UNUSED * num_files:
        share = len(problems) / max(num_files, len(problems))
        notes.append(
            f"{counted(len(problems), 'file')} could not be used, {share:.0%} of what was found; "
            "the list of problems says why."
        )
    return notes


def is_caveat(note: str) -> bool:
    """Whether a note on the folders belongs beside every test score."""
    return note.endswith(IS_THE_TEST)


def on_content(kept: Decoded, splits: UInt8[np.ndarray, " n"]) -> list[str]:
    """On identical files and on what the split could not do."""
    notes: list[str] = []
    first, group = np.unique(kept.ids, return_index=True, return_inverse=True)[1:]
    differs = kept.labels != kept.labels[first][group]
    twins = np.flatnonzero(differs.any(axis=1) if differs.ndim == 2 else differs)
    if len(twins):
        one, other = kept.paths[first[group[twins[0]]]], kept.paths[twins[0]]
        how = "with other labels" if differs.ndim == 2 else "under two class names"
        cases = counted(len(np.unique(group[twins])), "case")
        notes.append(f"The same photo {how}: {cases} ({one} is {other}).")
    copies = len(kept.ids) - len(first)
    if copies:
        notes.append(f"Exact copies of other photos: {counted(copies, 'file')}.")
    trained = np.isin(kept.ids, kept.ids[splits == Split.TRAIN])
    if leaked := int(np.count_nonzero(trained & (splits == Split.TEST))):
        notes.append(
            f"Test photos that are also training photos: {leaked:,}. "
            "The score on them says nothing about new photos."
        )
    if kept.splits is None:
        own = kept.labels[splits == Split.TEST]
        is_table = own.ndim == 2
        tested = own.sum(axis=0) if is_table else np.bincount(own, minlength=len(kept.classes))
        if alone := [kept.classes[index] for index in np.flatnonzero(tested == 0)]:
            notes.append(
                f"No test photo of {', '.join(map(repr, alone[:5]))}: there are too few to set one "
                "aside."
            )
    return notes
