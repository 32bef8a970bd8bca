"""Two networks compared once and kept while they are looked at.

A comparison belongs to two states of weights. Only the worker calls this; it needs torch.
"""

import dataclasses
import math
from collections import OrderedDict
from typing import TYPE_CHECKING, TypeVar

import numpy as np
from jaxtyping import Int64

from seethrough.data.load import original
from seethrough.runs.folder import Run
from seethrough.runs.settings import cost, differing
from seethrough.serve import wire
from seethrough.serve.albums import RunAlbum
from seethrough.serve.dropped import PREFIX
from seethrough.serve.shelf import Network, Shelf

if TYPE_CHECKING:
    from seethrough.explain.matching import LayerMatch
    from seethrough.runs.comparison import Disagreement, Judged, Matched, Side

T = TypeVar("T")

KEPT = 8
Moment = tuple[Run, int | None]  # a run, and the step at which it is looked at


class Comparisons:
    """Bounded; what was not asked for longest makes room."""

    def __init__(self, shelf: Shelf) -> None:
        self._shelf = shelf
        self._judged: OrderedDict[str, Judged] = OrderedDict()
        self._matched: OrderedDict[str, Matched] = OrderedDict()

    def message(self, first: Moment, second: Moment) -> wire.ComparisonMessage:
        """What they were told differently, and who is right where."""
        judged = self.judged(first, second)
        settings = differing(first[0].manifest, second[0].manifest)
        paired = None if judged.paired is None else judged.paired.to_dict()
        return wire.ComparisonMessage(
            first=self._side_message(first),
            second=self._side_message(second),
            settings=[
                wire.SettingMessage.model_validate(dataclasses.asdict(each)) for each in settings
            ],
            paired=None if paired is None else wire.PairedMessage.model_validate(paired),
            disagreements=len(judged.disagreements),
            notes=list(judged.notes),
        )

    def judged(self, first: Moment, second: Moment) -> "Judged":
        """Both on the photos that both set aside."""
        from seethrough.runs.comparison import judged

        key = self._key(first, second)
        if key not in self._judged:
            self._judged[key] = judged(self._side(first), self._side(second))
        return _kept(self._judged, key)

    def matching(self, first: Moment, second: Moment) -> wire.MatchingMessage:
        """Which unit is which."""
        from seethrough.runs.comparison import matched

        key = self._key(first, second)
        if key not in self._matched:
            self._matched[key] = matched(self._side(first), self._side(second))
        found = _kept(self._matched, key)
        return wire.MatchingMessage(
            layers=[_layer(match, found) for match in found.matching.layers],
            alone=[
                wire.AloneMessage.model_validate(dataclasses.asdict(one))
                for one in found.matching.alone
            ],
            photos=found.matching.photos,
            weights_sha256=self._network(first).weights_sha256,
            other_weights_sha256=self._network(second).weights_sha256,
        )

    def _network(self, moment: Moment) -> Network:
        return self._shelf.network(*moment)

    def _side(self, moment: Moment) -> "Side":
        from seethrough.runs.comparison import Side

        run, step = moment
        network = self._network(moment)
        return Side(
            run=run, dataset=self._shelf.dataset(run), classifier=network.classifier, step=step
        )

    def _key(self, first: Moment, second: Moment) -> str:
        parts = [(run.id, str(step), self._network((run, step))) for run, step in (first, second)]
        return " ".join(f"{run}@{step} {network.weights_sha256}" for run, step, network in parts)

    def _side_message(self, moment: Moment) -> wire.SideMessage:
        run, step = moment
        return wire.SideMessage(
            run=run.id,
            step=step,
            network=run.manifest.network.text,
            weights_sha256=self._network(moment).weights_sha256,
            cost=wire.CostMessage.model_validate(dataclasses.asdict(cost(run))),
        )


def disagreements(
    judged: "Judged", right: wire.Right | None, *, limit: int, offset: int
) -> wire.DisagreementList:
    """A page of the photos of which they name different classes."""
    found = [each for each in judged.disagreements if right in {None, each.right}]
    return wire.DisagreementList(
        total=len(found),
        photos=[_disagreement(each) for each in found[offset : offset + limit]],
    )


def photo_pair(first: RunAlbum, second: RunAlbum, photo_id: str) -> wire.PhotoPairMessage:
    """The photo for both: in the other's data set by its content, else as one that was dropped."""
    photo = first.opened(photo_id)[0]
    if photo_id.startswith(PREFIX) or first.run.id == second.run.id:
        return wire.PhotoPairMessage(photo=photo, other_photo=second.opened(photo_id)[0])
    index = first.index(photo_id)
    found = np.flatnonzero(second.dataset.ids == first.dataset.ids[index])
    if len(found):
        # a data set may hold a file twice: the same place where that is one of them
        place = index if index in found else int(found[0])
        other = second.opened(f"t{place}")[0]
    else:
        content, name = original(first.dataset, index), first.dataset.paths[index]
        other = second.drop(content, name)
    return wire.PhotoPairMessage(photo=photo, other_photo=other)


def _layer(match: "LayerMatch", found: "Matched") -> wire.LayerMatchMessage:
    from seethrough.explain.compare import channels_of, why_no_kernels

    difference = next((each for each in found.layers if each.first == match.first), None)
    one, other = found.first.layer(match.first), found.second.layer(match.second)
    channels = channels_of(one, other, found.matching) if difference is not None else None
    return wire.LayerMatchMessage.model_validate(
        {
            "first": match.first,
            "second": match.second,
            "kind": match.kind,
            "how": str(match.how),
            "units": _partners(match.units),
            "similarity": [_number(value) for value in match.similarity.tolist()],
            "mean_similarity": match.mean_similarity,
            "measured_at": match.measured_at,
            "num_second": match.num_second,
            "has_equal_maps": match.has_equal_maps,
            "why": match.why,
            "weights_layer": _weights_layer(match.first, found),
            "channels": None if channels is None else _partners(channels),
            "why_no_kernels": why_no_kernels(one, other, match, found.matching),
            "distance": None if difference is None else difference.distance,
        }
    )


def _weights_layer(name: str, found: "Matched") -> str | None:
    """The layer whose weights make the units of this one."""
    from seethrough.explain.compare import WEIGHTED
    from seethrough.explain.layer import PHOTO
    from seethrough.explain.matching import is_unitwise

    layer = found.first.layer(name)
    while (is_unitwise(layer) or layer.kind in {"softmax", "log_softmax"}) and (
        layer.inputs[0] != PHOTO
    ):
        layer = found.first.layer(layer.inputs[0])
    paired = {match.first for match in found.matching.layers}
    return layer.name if layer.kind in WEIGHTED and layer.name in paired else None


def _disagreement(each: "Disagreement") -> wire.DisagreementMessage:
    told = {**dataclasses.asdict(each), "right": each.right}
    return wire.DisagreementMessage.model_validate(told)


def _partners(units: Int64[np.ndarray, " u"]) -> list[int | None]:
    return [None if unit < 0 else unit for unit in units.tolist()]


def _number(value: float) -> float | None:
    return value if math.isfinite(value) else None


def _kept(items: OrderedDict[str, T], key: str) -> T:
    items.move_to_end(key)
    while len(items) > KEPT:
        items.popitem(last=False)
    return items[key]
