"""The bad inputs that every room is tested with, made by script: no binary file lies in git.

    images()    files of one photo each
    folders()   ways to arrange photos
    zips()      archives

`python -m tests.corpus FOLDER` writes them all out, to be looked at. `refused` is a piece of the
sentence that refuses an input, None where it is accepted.
"""

from tests.corpus.archives import zips
from tests.corpus.folders import folders
from tests.corpus.images import BadImage, images
from tests.corpus.photos import TWO, BadSource, encoded, photo, put, write_photos, zipped

__all__ = [
    "TWO",
    "BadImage",
    "BadSource",
    "encoded",
    "folders",
    "images",
    "photo",
    "put",
    "write_photos",
    "zipped",
    "zips",
]
