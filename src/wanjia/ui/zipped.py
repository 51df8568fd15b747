"""A zip written straight into an answer: nothing on the disk, one piece in memory (docs/adr/0018)."""

from __future__ import annotations

import io
from datetime import datetime
from zipfile import ZIP_DEFLATED, ZipInfo


class Sink(io.RawIOBase):
    """Takes what the zip writes and gives it away in pieces."""

    def __init__(self) -> None:
        self.waiting = bytearray()

    def writable(self) -> bool:
        return True

    def write(self, data: object, /) -> int:
        piece = memoryview(data)  # type: ignore[arg-type]
        self.waiting += piece
        return piece.nbytes

    def taken(self) -> bytes:
        """What was written since the last time."""
        piece = bytes(self.waiting)
        self.waiting.clear()
        return piece


def entry(name: str, at: datetime) -> ZipInfo:
    """A compressed file of the zip, with the time the zip was made."""
    info = ZipInfo(name, at.timetuple()[:6])
    info.compress_type = ZIP_DEFLATED
    return info
