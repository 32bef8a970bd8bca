"""The photos that ship with the program, and that they take the same way as a user's own."""

import io

from PIL import Image

from seethrough.data import layout
from seethrough.data.archive import Archive
from seethrough.data.builtin import BUILTIN, builtin_path
from seethrough.data.decode import picture
from seethrough.data.split import Split


def test_the_everyday_photos_are_complete():
    path = builtin_path("everyday")
    assert path.stat().st_size <= 20_000_000
    archive = Archive(path)
    found = layout.read(archive.listing(), name="everyday")
    assert len(found.classes) >= 6
    assert found.problems == ()
    for label in range(len(found.classes)):
        splits = [photo.split for photo in found.photos if photo.label == label]
        assert splits.count(Split.TRAIN) >= 1000
        assert splits.count(Split.TEST) >= 200
    for photo in found.photos[::997]:
        content = archive.read(photo.path)
        fitted = picture(content, name=photo.path, image_px=32)
        assert fitted.note is None
        with Image.open(io.BytesIO(content)) as image:
            assert image.size == (fitted.width, fitted.height)


def test_every_built_in_set_has_a_file():
    assert all(builtin_path(name).is_file() for name in BUILTIN)
