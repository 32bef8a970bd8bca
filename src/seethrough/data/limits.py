"""How large a picture or an archive may be; larger ones are refused before they cost memory."""

from typing import Final

MAX_FILE_BYTES: Final = 50_000_000
MAX_PIXELS: Final = 64_000_000  # 8,000 × 8,000
MAX_SIDE_PX: Final = 16_384
MAX_ENTRIES: Final = 200_000  # files in an archive
MAX_DEPTH: Final = 64  # folders inside folders
MAX_RATIO: Final = 200  # bytes after unpacking for each byte before
