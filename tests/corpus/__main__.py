"""Write the whole corpus into a folder."""

import sys
from pathlib import Path

from tests.corpus import folders, images, put, zips


def write_all(root: Path) -> None:
    """Every input in a place of its own."""
    for image in images():
        put(root / "images" / image.name, image.content)
    for kind, sources in (("folders", folders()), ("zips", zips())):
        for source in sources:
            place = root / kind / source.name / "photos"
            place.mkdir(parents=True)
            source.write(place)


if __name__ == "__main__":
    write_all(Path(sys.argv[1]))
