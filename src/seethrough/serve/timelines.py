"""Timelines of the runs that are looked at: each moment is seen once, and kept.

A run that is being trained goes on where it was when it was asked before. Only the worker calls
this, moment by moment, so that other questions are answered in between; it needs torch.
"""

from collections import OrderedDict
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from seethrough.runs.folder import Run
from seethrough.serve.shelf import Shelf
from seethrough.serve.wire import FollowedPhoto, LayerLife, TimelineMessage

if TYPE_CHECKING:
    from seethrough.explain.sighting import Sighting
    from seethrough.explain.timeline import Timeline
    from seethrough.runs.timeline import Followed

RUNS = 2  # of which features of photos are kept: up to 64 MB each


@dataclass(slots=True)
class _Seen:
    photos: "Followed"
    moments: "dict[str, Sighting]" = field(default_factory=dict)  # by the SHA-256 of their bytes
    told: "tuple[list[str], Timeline] | None" = None


class Timelines:
    """What was seen of the newest few runs."""

    def __init__(self, shelf: Shelf) -> None:
        self._shelf = shelf
        self._seen: OrderedDict[str, _Seen] = OrderedDict()

    def watch(self, run: Run) -> Iterator[int]:
        """See what was not seen yet; the step of each moment, once it is."""
        from seethrough.runs import past, timeline

        if run.id not in self._seen:
            self._seen[run.id] = _Seen(timeline.followed(run, self._shelf.dataset(run)))
        self._seen.move_to_end(run.id)
        while len(self._seen) > RUNS:
            self._seen.popitem(last=False)
        held = self._seen[run.id]
        unknown = [moment for moment in run.moments if moment.sha256 not in held.moments]
        for moment, module in past.modules(run, unknown):
            held.moments[moment.sha256] = timeline.seen(module, held.photos)
            yield moment.step

    def timeline(self, run: Run) -> "Timeline":
        """The timeline of what `watch` has seen."""
        from seethrough.runs.timeline import joined

        held = self._seen[run.id]
        known = [moment for moment in run.moments if moment.sha256 in held.moments]
        names = [moment.sha256 for moment in known]
        if held.told is None or held.told[0] != names:
            steps = [moment.step for moment in known]
            sightings = [held.moments[name] for name in names]
            held.told = (names, joined(steps, sightings, held.photos))
        return held.told[1]


def timeline_message(told: "Timeline", classes: tuple[str, ...]) -> TimelineMessage:
    """All of a timeline but the positions."""
    return TimelineMessage(
        classes=list(classes),
        steps=list(told.steps),
        photos=[
            FollowedPhoto(photo=f"t{photo}", label=classes[label], learned=learned)
            for photo, label, learned in zip(told.photos, told.labels, told.learned, strict=True)
        ],
        predicted=told.probabilities.argmax(2).tolist(),
        accuracy=told.accuracy.tolist(),
        features=told.features,
        num_features=told.num_features,
        shares=list(told.shares),
        layers=[LayerLife(layer=name, died=list(died)) for name, died in told.died.items()],
    )
