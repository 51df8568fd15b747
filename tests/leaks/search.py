"""Looking for needles in bytes: plain, encoded, packed as integers, compressed.

    search = Search(Needles.of(numbers, phones, accounts))
    search.file("database", path)
    search.text("page", html)
    search.hits            # what was found where, and how it was written

Digits are found as runs (ASCII, UTF-16, full width) and each run is looked up window by window.
Runs of hex and base64 are decoded, whichever way they are aligned, and looked through as bytes.
Integers and packed decimals are found by two 16-bit words of each pattern: a table of 65,536
entries rejects all but a handful of positions at the speed of memory, the rest are compared whole.
Whatever can be decompressed is, and is looked through as well.
"""

from __future__ import annotations

import binascii
import io
import re
import sqlite3
import string
import zipfile
import zlib
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq

from tests.leaks.needles import Compiled, Form, Needles

CHUNK = 1 << 25
OVERLAP = 512  # longer than any pattern in any encoding
BITS = 64  # forms that share a table
DEPTH = 4  # archives in archives
SHORTEST = 11
KEPT = 200  # hits whose details are kept; all are counted


def _table(characters: bytes) -> npt.NDArray[np.bool_]:
    table = np.zeros(256, np.bool_)
    table[list(characters)] = True
    return table


@dataclass(frozen=True, slots=True)
class _Wide:
    """A way of writing a digit with several bytes: what stands before it, where it begins, what behind it."""

    before: bytes
    zero: int
    behind: bytes

    @property
    def step(self) -> int:
        return len(self.before) + 1 + len(self.behind)


_UTF16 = {"UTF-16 little-endian": _Wide(b"", 0x30, b"\0"), "UTF-16 big-endian": _Wide(b"\0", 0x30, b"")}
_WIDE = _UTF16 | {
    "UTF-32": _Wide(b"", 0x30, b"\0\0\0"),
    "full width, UTF-8": _Wide(b"\xef\xbc", 0x90, b""),
    "full width, GB18030": _Wide(b"\xa3", 0xB0, b""),
}
_BETWEEN = b"\n\x1f"
_HEX_DIGITS = _table(b"0123456789abcdefABCDEF")
_BASE64_LETTERS = _table(string.ascii_letters.encode() + b"0123456789+/-_\r\n")
_LONG = re.compile(r"[0-9]{6,}[Xx]?")
_SHORTEST_HEX, _SHORTEST_BASE64 = 12, 15
_URLSAFE = bytes.maketrans(b"-_", b"+/")


@dataclass(frozen=True, slots=True)
class Hit:
    """A needle found: where, of which kind, how it was written, and what stands round it."""

    place: str
    source: str
    kind: str
    written: str
    offset: int
    context: str = field(repr=False)


class _Index:
    """Finds every pattern of every form in a buffer."""

    def __init__(self, forms: Sequence[Form]) -> None:
        self._forms = [_Words(form) for form in forms]
        self._table = np.zeros(1 << 16, np.uint64)
        for number, words in enumerate(self._forms):
            self._table[words.first] |= np.uint64(1 << number)
        self._rare = self._table != 0

    def find(self, data: memoryview) -> Iterator[tuple[int, str, str]]:
        """(offset, how written, digits)."""
        for odd in (0, 1):
            words = np.frombuffer(data[odd : len(data) - (len(data) - odd) % 2], np.uint16)
            at = np.flatnonzero(self._rare[words])
            if not len(at):
                continue
            marks, offsets = self._table[words[at]], at.astype(np.int64) * 2 + odd
            for number, form in enumerate(self._forms):
                of_form = offsets[(marks & np.uint64(1 << number)) != 0]
                if len(of_form):
                    yield from form.among(data, of_form)


class _Words:
    """A form with the two 16-bit words of its patterns that tell most."""

    def __init__(self, form: Form) -> None:
        self._form = form
        matrix = np.frombuffer(b"".join(form.patterns), np.uint8).reshape(-1, form.size)
        columns = {
            at: np.unique(np.ascontiguousarray(matrix[:, at : at + 2]).view(np.uint16)) for at in range(form.size - 1)
        }
        dull = {0x0000, 0xFFFF, 0x8080}  # everywhere in any file

        def weight(at: int) -> tuple[int, int]:
            return len(columns[at]) + (60_000 if dull & set(columns[at].tolist()) else 0), -at

        ranked = sorted(columns, key=weight)
        self._at = ranked[0]
        others = [at for at in ranked if abs(at - self._at) >= 2] or ranked
        self._then = others[0]
        self.first = columns[self._at]
        self._second = np.zeros(1 << 16, np.bool_)
        self._second[columns[self._then]] = True

    def among(self, data: memoryview, found: Any) -> Iterator[tuple[int, str, str]]:
        starts = found - self._at
        starts = starts[(starts >= 0) & (starts + self._form.size <= len(data))]
        octets = np.frombuffer(data, np.uint8)
        words = octets[starts + self._then].astype(np.uint16) | octets[starts + self._then + 1].astype(np.uint16) << 8
        for start in starts[self._second[words]].tolist():
            text = self._form.patterns.get(bytes(data[start : start + self._form.size]))
            if text is not None:
                yield start, self._form.name, text


class Search:
    """A search for one installation's needles over any number of places."""

    def __init__(self, needles: Needles) -> None:
        self._compiled = Compiled(needles)
        forms = self._compiled.forms
        self._indexes = [_Index(forms[at : at + BITS]) for at in range(0, len(forms), BITS)]
        self.hits: list[Hit] = []
        self.counts: Counter[str] = Counter()
        self.written: Counter[str] = Counter()
        self.searched: Counter[str] = Counter()
        self.decoded = 0
        self.sources: defaultdict[str, set[str]] = defaultdict(set)

    @property
    def found(self) -> int:
        """How many needles were found, all places together."""
        return self.counts.total()

    def text(self, place: str, text: str, source: str = "") -> None:
        """Look through a text as it would lie in a UTF-8 file."""
        self.bytes(place, text.encode("utf-8", "surrogatepass"), source)

    def file(self, place: str, path: Path, source: str = "") -> None:
        """Look through a file, what it holds compressed, and the values of tables it is made of."""
        name = source or str(path)
        try:
            content = path.read_bytes()
        except FileNotFoundError:  # temporary, and gone
            return
        self.bytes(place, content, name)
        if content.startswith(b"SQLite format 3\0"):
            self._sqlite(place, path, name)

    def folder(self, place: str, folder: Path) -> None:
        """Look through every file under a folder; their names are looked through too."""
        self.searched[place] += 0
        for path in sorted(folder.rglob("*")):
            self.text(place, path.relative_to(folder).as_posix() + "\n", f"name of {path}")
            if path.is_file() and not path.is_symlink():
                self.file(place, path)

    def bytes(self, place: str, content: bytes, source: str = "") -> None:
        """Look through bytes, and through what they hold compressed."""
        self.searched[place] += len(content)
        self.sources[place].add(source)
        self._through(place, source, content, depth=0)

    def _through(self, place: str, source: str, content: bytes, depth: int) -> None:
        for start in range(0, max(len(content), 1), CHUNK):
            piece = content[start : start + CHUNK + OVERLAP]
            for offset, written, kind, at in self._all(piece):
                if offset < CHUNK:
                    self._hit(place, source, kind, written, start + offset, at)
        if depth < DEPTH:
            for how, inner in _unpacked(content):
                self.decoded += len(inner)
                self._through(place, f"{source} › {how}", inner, depth + 1)

    def _all(self, data: bytes) -> Iterator[tuple[int, str, str, str]]:
        """(offset, how written, kind, context) in a piece of memory."""
        for offset, written, kind in self._direct(data, _WIDE):
            yield offset, written, kind, _context(data, offset)
        for how, starts, inner in _decoded(data):
            self.decoded += sum(map(len, inner))
            ends = np.cumsum([len(part) + len(_BETWEEN) for part in inner])
            for at, written, kind in self._direct(_BETWEEN.join(inner), _UTF16):
                if how == "hex" and written.endswith(("BCD even", "BCD odd")):
                    continue  # plain digits, found as such
                offset = starts[int(np.searchsorted(ends, at, side="right"))]
                yield offset, f"{how} of {written}", kind, _context(data, offset)

    def _direct(self, data: bytes, wide: Mapping[str, _Wide]) -> Iterator[tuple[int, str, str]]:
        octets = np.frombuffer(data, np.uint8)
        for start, end in _runs(octets - np.uint8(0x30) <= 9, SHORTEST):
            for at, kind, _ in self._compiled.among(data[start:end].decode("ascii")):
                yield start + at, "digits", kind
        for name, way in wide.items():
            for start, digits in _wide_runs(data, octets, way):
                for at, kind, _ in self._compiled.among(digits):
                    yield start + at * way.step, name, kind
        for index in self._indexes:
            for offset, written, _ in index.find(memoryview(data)):
                yield offset, written, written.partition(",")[0]

    def _hit(self, place: str, source: str, kind: str, written: str, offset: int, context: str) -> None:
        self.counts[place] += 1
        self.written[written] += 1
        if len(self.hits) < KEPT or self.counts[place] <= 3:
            self.hits.append(Hit(place, source, kind, written, offset, context))

    def _sqlite(self, place: str, path: Path, source: str) -> None:
        """The values themselves: a text that runs over several pages is in one piece only here."""
        connection = sqlite3.connect(f"file:{path}?mode=ro&immutable=1", uri=True)
        connection.text_factory = bytes
        try:
            tables = [
                row[0].decode() for row in connection.execute("SELECT name FROM sqlite_master WHERE type='table'")
            ]
            for table in tables:
                rows = connection.execute(f'SELECT * FROM "{table}"')
                while some := rows.fetchmany(5_000):
                    lines = b"\n".join(b"\x1f".join(map(_as_bytes, row)) for row in some)
                    self.decoded += len(lines)
                    self._through(place, f"{source} › table {table}", lines, DEPTH)
        except sqlite3.DatabaseError:  # a page torn between file and log: its bytes were looked through
            pass
        finally:
            connection.close()


def _as_bytes(value: object) -> bytes:
    return value if isinstance(value, bytes) else str(value).encode()


def _context(data: bytes, offset: int) -> str:
    """What stands before and behind a hit, the hit itself left out: reports are kept."""
    before, behind = data[max(0, offset - 60) : offset], data[offset + 24 : offset + 64]
    return _LONG.sub("#", f"{before.decode('latin-1')!r} … {behind.decode('latin-1')!r}")


def _runs(mask: npt.NDArray[np.bool_], least: int) -> Iterator[tuple[int, int]]:
    """(start, end) of every unbroken run of at least `least`."""
    if len(mask) < least:
        return
    edges = np.flatnonzero(mask[1:] != mask[:-1]) + 1
    bounds = np.concatenate(([0], edges, [len(mask)]))
    first = 0 if mask[0] else 1
    starts, ends = bounds[first:-1:2], bounds[first + 1 :: 2]
    long = ends - starts >= least
    yield from zip(starts[long].tolist(), ends[long].tolist(), strict=True)


def _wide_runs(data: bytes, octets: npt.NDArray[np.uint8], way: _Wide) -> Iterator[tuple[int, str]]:
    """(start, digits) of digits written in this way."""
    if any(data.find(octet) < 0 for octet in {bytes((octet,)) for octet in way.before + way.behind}):
        return
    count = len(octets) - way.step + 1
    if count < SHORTEST:
        return
    lead = len(way.before)
    mask = octets[lead : lead + count] - np.uint8(way.zero) <= 9
    for place, octet in enumerate(way.before):
        mask &= octets[place : place + count] == octet
    for place, octet in enumerate(way.behind, start=lead + 1):
        mask &= octets[place : place + count] == octet
    if np.count_nonzero(mask) < SHORTEST:
        return
    for phase in range(way.step):
        for start, end in _runs(mask[phase :: way.step], SHORTEST):
            at = phase + start * way.step
            digits = octets[at + lead : phase + end * way.step : way.step] - np.uint8(way.zero - 0x30)
            yield at, digits.tobytes().decode("ascii")


def _decoded(data: bytes) -> Iterator[tuple[str, list[int], list[bytes]]]:
    """(how, where, what) of all runs of hex and base64 in `data`, decoded at each alignment."""
    octets = np.frombuffer(data, np.uint8)
    runs = [(start, data[start:end]) for start, end in _runs(_HEX_DIGITS[octets], _SHORTEST_HEX)]
    for skip in (0, 1) if runs else ():
        texts = [text[skip : len(text) - (len(text) - skip) % 2] for _, text in runs]
        yield "hex", [at for at, _ in runs], [binascii.unhexlify(text) for text in texts]
    runs = [
        (start, data[start:end].translate(_URLSAFE, b"\r\n"))
        for start, end in _runs(_BASE64_LETTERS[octets], _SHORTEST_BASE64)
    ]
    for missing in range(4) if runs else ():  # characters of a group that stood before the run
        texts = [b"A" * missing + text for _, text in runs]
        texts = [text[: len(text) - (len(text) % 4 == 1)] for text in texts]
        yield "base64", [at for at, _ in runs], [binascii.a2b_base64(t + b"=" * (-len(t) % 4)) for t in texts]


def _unpacked(content: bytes) -> Iterator[tuple[str, bytes]]:
    if content.startswith(b"PAR1"):
        yield from _columns(content)
    if content.startswith(b"PK\x03\x04"):
        yield from _members(content)
    yield from _streams(content)


def _columns(content: bytes) -> Iterator[tuple[str, bytes]]:
    """The values of a Parquet file, column by column, decoded from whatever pages they lie in."""
    try:
        file = pq.ParquetFile(io.BytesIO(content))
        table = file.read()
    except (pa.ArrowException, OSError):
        return
    yield "schema", str(file.schema_arrow).encode() + str(table.schema.metadata).encode()
    for name, column in zip(table.column_names, table.columns, strict=True):
        for chunk in column.chunks:
            plain = chunk.dictionary if isinstance(chunk, pa.DictionaryArray) else chunk
            yield f"column {name}", "\n".join(map(str, plain.to_pylist())).encode("utf-8", "surrogatepass")
            for buffer in plain.buffers():
                if buffer is not None:
                    yield f"column {name}, memory", buffer.to_pybytes()


def _members(content: bytes) -> Iterator[tuple[str, bytes]]:
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            for member in archive.infolist():
                yield member.filename, archive.read(member)
    except (zipfile.BadZipFile, zlib.error, RuntimeError, NotImplementedError):
        return


_MAGIC = re.compile(rb"\x1f\x8b\x08|\x28\xb5\x2f\xfd|\x78[\x01\x5e\x9c\xda]")


def _streams(content: bytes) -> Iterator[tuple[str, bytes]]:
    """Compressed streams wherever they begin: gzip, zlib, and zstd, of which Parquet's pages are made."""
    for found in _MAGIC.finditer(content):
        at, magic = found.start(), found[0]
        if magic[:1] == b"\x28":
            inner, how = _zstd(content[at:]), "zstd"
        else:
            gzip = magic[:1] == b"\x1f"
            inner, how = _inflated(content[at:], 31 if gzip else 15), "gzip" if gzip else "zlib"
        if len(inner) >= SHORTEST:
            yield f"{how} at {at}", inner


def _inflated(content: bytes, bits: int) -> bytes:
    engine, parts = zlib.decompressobj(bits), list[bytes]()
    try:
        for start in range(0, len(content), 1 << 16):
            parts.append(engine.decompress(content[start : start + (1 << 16)]))
            if engine.eof:
                break
    except zlib.error:
        pass  # chance bytes that look like a stream; what came before the fault is looked through
    return b"".join(parts)


def _zstd(content: bytes) -> bytes:
    size = _frame_size(content)
    if not size:
        return b""
    try:
        with pa.CompressedInputStream(pa.BufferReader(content[:size]), "zstd") as stream:
            return bytes(stream.read())
    except (pa.ArrowException, OSError):
        return b""


def _frame_size(content: bytes) -> int:
    """The length of the zstd frame at the beginning (RFC 8878, section 3.1.1); 0 if there is none whole."""
    if len(content) < 6:
        return 0
    descriptor = content[4]
    single, of_size, of_dictionary = descriptor >> 5 & 1, descriptor >> 6, (0, 1, 2, 4)[descriptor & 3]
    at = 5 + (not single) + of_dictionary + ((1 if single else 0), 2, 4, 8)[of_size]
    while at + 3 <= len(content):
        header = int.from_bytes(content[at : at + 3], "little")
        last, kind, size = header & 1, header >> 1 & 3, header >> 3
        if kind == 3:
            return 0
        at += 3 + (1 if kind == 1 else size)
        if last:
            at += 4 * (descriptor >> 2 & 1)
            return at if at <= len(content) else 0
    return 0
