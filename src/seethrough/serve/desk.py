"""What the routes of one server work with: its open runs, dropped photos, looks, one worker."""

from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Annotated

from anyio import Semaphore
from fastapi import Depends, Request

from seethrough.runs.folder import Run
from seethrough.serve.albums import OpenedAlbum, RunAlbum
from seethrough.serve.answers import end
from seethrough.serve.body import AT_ONCE
from seethrough.serve.comparisons import Comparisons
from seethrough.serve.dropped import DropBox
from seethrough.serve.looks import Look, Looks
from seethrough.serve.opened import Opened
from seethrough.serve.opening import Opening
from seethrough.serve.photos import Album
from seethrough.serve.rate_tests import RateTests
from seethrough.serve.shelf import Shelf
from seethrough.serve.steps import Steps
from seethrough.serve.stream import Audience, LogStream
from seethrough.serve.timelines import Timelines
from seethrough.serve.wire import Photo
from seethrough.serve.worker import Worker


@dataclass(frozen=True, slots=True)
class Desk:
    """Everything in it lives as long as the server."""

    shelf: Shelf
    drops: DropBox
    looks: Looks
    steps: Steps
    timelines: Timelines
    comparisons: Comparisons
    rate_tests: RateTests
    worker: Worker
    uploads: Semaphore  # held from the first byte of a picture until it was judged
    audience: Audience
    is_closing: Callable[[], bool]
    opening: Opening | None

    def album(self, subject_id: str) -> Album:
        """The photos of a run, or of an opened network."""
        subject = self.shelf.subject(subject_id)
        if isinstance(subject, Opened):
            return OpenedAlbum(subject, self.drops)
        return RunAlbum(subject, self.shelf, self.drops)

    def run_album(self, run_id: str) -> RunAlbum:
        """The photos of a run."""
        return RunAlbum(self.shelf.run(run_id), self.shelf, self.drops)

    def look(
        self,
        run_id: str,
        photo_id: str,
        weights_sha256: str | None = None,
        step: int | None = None,
    ) -> Look:
        """A photo on its way through a run's network, now or at a moment; for the worker."""
        return self.looks.look(self.album(run_id), photo_id, weights_sha256, step)

    def drop(self, run_id: str, content: bytes, name: str) -> Photo:
        """Take in a photo and judge it, where the run has learned anything yet; for the worker."""
        album = self.album(run_id)
        photo = album.drop(content, name)
        if not self.shelf.has_network(album.subject):
            return photo
        judged = self.shelf.network(album.subject).classifier.predict(content, name=name)
        told = {"predicted": judged.label, "probability": judged.probability}
        return photo.model_copy(update=told)

    def follow(self, run: Run, log: Path, offset: int) -> AsyncIterator[bytes]:
        """The log from that byte on, as server-sent events."""
        return LogStream(
            log=log,
            offset=offset,
            audience=self.audience,
            ended=partial(end, run),
            is_closing=self.is_closing,
        ).events()


def desk(
    runs_dir: Path,
    is_closing: Callable[[], bool],
    opening: Opening | None,
    opened: Sequence[Opened] = (),
) -> Desk:
    """An empty desk for the runs in this folder, and for what was opened beside them."""
    shelf = Shelf(runs_dir, opened)
    return Desk(
        shelf=shelf,
        drops=DropBox(),
        looks=Looks(shelf),
        steps=Steps(shelf),
        timelines=Timelines(shelf),
        comparisons=Comparisons(shelf),
        rate_tests=RateTests(),
        worker=Worker(),
        uploads=Semaphore(AT_ONCE),
        audience=Audience(),
        is_closing=is_closing,
        opening=opening,
    )


def _of(request: Request) -> Desk:
    found = request.app.state.desk
    assert isinstance(found, Desk)
    return found


TheDesk = Annotated[Desk, Depends(_of)]
