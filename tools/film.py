"""A film as WebM, picture by picture: VP9 through PyAV, which `make walk` installs (extra `film`).

Every picture says for how long it is seen, so the pace of the film is that of its script and not
that of the machine that made it. WebM: https://www.webmproject.org/docs/container/
"""

import io
from fractions import Fraction
from pathlib import Path
from types import TracebackType
from typing import Self

import av
from av.video.reformatter import ColorRange, Colorspace
from PIL import Image

MS = Fraction(1, 1000)  # the clock of WebM
HD = 1  # ITU-R BT.709 as primaries, curve and matrix: H.273, tables 2 to 4
QUALITY = 34  # 0 to 63, less is better and larger: https://trac.ffmpeg.org/wiki/Encode/VP9


class Film:
    """A WebM file that is written while the `with` lasts."""

    def __init__(self, path: Path, *, width_px: int, height_px: int) -> None:
        """The file is made at once; both sizes are even."""
        self.seconds = 0.0
        self._last: Image.Image | None = None
        self._container = av.open(str(path), "w", format="webm")
        self._stream = self._container.add_stream("libvpx-vp9", rate=10)
        self._stream.width, self._stream.height = width_px, height_px
        self._stream.pix_fmt = "yuv420p"
        self._stream.time_base = self._stream.codec_context.time_base = MS
        self._stream.bit_rate = 0  # as many as the quality needs
        self._stream.options = {
            "crf": str(QUALITY),
            "tune-content": "screen",
            "row-mt": "1",
            "cpu-used": "4",
            "g": "150",  # pictures between two that stand alone: where a reader may jump to
        }
        context = self._stream.codec_context
        context.color_primaries = context.color_trc = context.colorspace = HD
        context.color_range = ColorRange.MPEG

    def __enter__(self) -> Self:
        """The film itself."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """The last picture once more, where the film ends; then the file is whole."""
        if self._last is not None:
            self._encode(self._last)
        self._container.mux(self._stream.encode(None))
        self._container.close()

    def add(self, content: bytes, seconds: float) -> None:
        """One picture, a PNG or JPEG of the film's size, and for how long it is seen."""
        picture = Image.open(io.BytesIO(content)).convert("RGB")
        self._encode(picture)
        self.seconds += seconds
        self._last = picture

    def _encode(self, picture: Image.Image) -> None:
        frame = av.VideoFrame.from_image(picture).reformat(
            format="yuv420p", dst_colorspace=Colorspace.ITU709, dst_color_range=ColorRange.MPEG
        )
        frame.pts, frame.time_base = round(self.seconds / MS), MS
        self._container.mux(self._stream.encode(frame))
