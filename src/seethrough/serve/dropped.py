"""Photos that a user dropped on the page: kept in memory for as long as there is room.

A photo's id is `u-` and the first 16 hexadecimal digits of the SHA-256 of its bytes: the same
file dropped twice is one photo. What was not looked at for longest makes room. Nothing is written.
"""

import hashlib
import threading
from collections import OrderedDict
from dataclasses import dataclass

from seethrough.serve.refusal import Refusal

PHOTOS = 64
BYTES = 256_000_000
PREFIX = "u-"


@dataclass(frozen=True, slots=True)
class Drop:
    """A file as it came, and the name that it came with."""

    id: str
    content: bytes
    name: str


class DropBox:
    """Bounded in photos and in bytes."""

    def __init__(self, *, photos: int = PHOTOS, size: int = BYTES) -> None:
        self._photos, self._size = photos, size
        self._drops: OrderedDict[str, Drop] = OrderedDict()
        self._lock = threading.Lock()

    def put(self, content: bytes, name: str) -> Drop:
        """Keep a photo; those that were not looked at for longest make room."""
        drop = Drop(PREFIX + hashlib.sha256(content).hexdigest()[:16], content, name)
        with self._lock:
            self._drops.pop(drop.id, None)
            self._drops[drop.id] = drop
            while len(self._drops) > self._photos or self._held() > self._size:
                self._drops.popitem(last=False)
        return drop

    def get(self, photo_id: str) -> Drop:
        """The photo with this id, or a Refusal that says why it is gone."""
        with self._lock:
            if photo_id in self._drops:
                self._drops.move_to_end(photo_id)
                return self._drops[photo_id]
        raise Refusal(
            404,
            "This photo is not here any more.",
            why=f"dropped photos stay in memory until the server ends or {self._photos} newer "
            "ones need their place.",
            fix="drop the file again.",
        )

    def _held(self) -> int:
        return sum(len(drop.content) for drop in self._drops.values())
