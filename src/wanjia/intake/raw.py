"""The sender's file as it came, encrypted, in the lake's raw zone (design.md §5 Identity)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from wanjia.engine.workbook import process
from wanjia.intake.detect import HEAD, Encoding, EncodingWatch, text_of
from wanjia.intake.lines import records
from wanjia.intake.opening import WORKBOOK, is_workbook
from wanjia.lake import Manifest, Staging
from wanjia.scope.keys import keyring
from wanjia.scope.stores import lake

FILE = "file.sealed"
_PIECE = 1 << 20


class Upload(Protocol):
    """An uploaded file as Django hands it over, and as our encrypting handler opens it."""

    name: str | None

    def chunks(self, chunk_size: int | None = None) -> Iterator[bytes]: ...


@dataclass(frozen=True, slots=True)
class Source:
    """Where a delivery is read from; may be read more than once."""

    name: str
    origin: Path | Upload

    def parts(self) -> Iterator[bytes]:
        if not isinstance(self.origin, Path):
            yield from self.origin.chunks()
            return
        with self.origin.open("rb") as stream:
            while part := stream.read(_PIECE):
                yield part


@dataclass(frozen=True, slots=True)
class Sealed:
    """What was learned of a file while it was put away."""

    address: str
    file_hash: str
    size: int
    lines: int
    encoding: Encoding


def seal(source: Source, staging: Staging, **facts: Any) -> Sealed:
    """Write the file encrypted, with `facts` beside it, into a dataset being published; nothing of it lies in clear."""
    digest = keyring().content_digest()
    watch = EncodingWatch()
    size = lines = 0
    head = b""

    def seen(parts: Iterable[bytes]) -> Iterator[bytes]:
        nonlocal size, lines, head
        for part in parts:
            digest.update(part)
            watch.see(part)
            head = head or part[:HEAD]
            size += len(part)
            lines += part.count(b"\n")
            yield part

    with staging.path(FILE).open("wb") as stream:
        for piece in keyring().cipher.seal_stream(seen(source.parts()), staging.address):
            stream.write(piece)
    encoding = Encoding(WORKBOOK) if is_workbook(head) else watch.encoding()
    staging.manifest.update(
        size=size,
        lines=0 if encoding.name == WORKBOOK else lines,  # as far as counting line ends tells; for progress only
        encoding=encoding.name,
        mark=encoding.mark,
        **facts,
    )
    return Sealed(staging.address, digest.hexdigest(), size, lines, encoding)


def manifest_of(address: str) -> Manifest:
    """What was learned of the file when it came."""
    return lake().read_manifest(address)


def encoding_of(manifest: Manifest) -> Encoding:
    return Encoding(manifest.facts["encoding"], manifest.facts["mark"])


def text(address: str) -> Iterator[str]:
    """The sender's text file. Raises Unreadable when it was altered; NotPublished when it is gone."""
    return text_of(opened(address), encoding_of(manifest_of(address)))


def is_sheets(address: str) -> bool:
    """Whether the sender's file is a workbook."""
    return encoding_of(manifest_of(address)).name == WORKBOOK


def opened(address: str) -> Iterator[bytes]:
    """The sender's file in clear, a piece at a time."""
    with lake().path(address, FILE).open("rb") as stream:
        yield from keyring().cipher.open_stream(iter(lambda: stream.read(_PIECE), b""), address)


def rows_at(
    address: str, lines: npt.NDArray[np.int32], *, width: int, delimiter: str, sheets: Sequence[int]
) -> Iterator[tuple[int, Sequence[str]]]:
    """The records that begin on these lines, as the sender wrote them, in the order of the file."""
    wanted = set(lines.tolist())
    if is_sheets(address):
        stream = process.rows(opened(address), sheets=sheets, width=width, remarks=process.Remarks())
    else:
        stream = text(address)
    for block in records(stream, width=width, delimiter=delimiter):
        at = np.flatnonzero(np.isin(block.lines, lines))
        rows: Iterable[dict[str, str]] = block.cells.take(pa.array(at)).to_pylist()
        found = [(int(block.lines[n]), list(row.values())) for n, row in zip(at, rows, strict=True)]
        found += [(odd.line, odd.cells) for odd in block.odd if odd.line in wanted]
        yield from sorted(found)
