"""The sender's file as it came, encrypted, in the lake's raw zone (design.md §5 Identity)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from wanjia.lake import Manifest, Staging
from wanjia.scope.keys import keyring
from wanjia.scope.stores import lake
from wanjia.sources.contracts import Contract
from wanjia.sources.intake.detect import HEAD, Encoding, EncodingWatch, text_of
from wanjia.sources.intake.opening import WORKBOOK, is_workbook

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


def seal(source: Source, staging: Staging, contract: Contract) -> Sealed:
    """Write the file encrypted into a dataset being published; no clear byte touches the disk."""
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
        dataset=contract.dataset,
        size=size,
        lines=0 if encoding.name == WORKBOOK else lines,  # as far as counting line ends tells; for progress only
        encoding=encoding.name,
        mark=encoding.mark,
        retention_class=contract.retention_class,
        retention_days=contract.retention_days,
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
