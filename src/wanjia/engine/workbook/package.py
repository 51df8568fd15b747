"""The parts of a workbook: a zip of XML that may have been made to harm whoever opens it.

Nothing is unpacked: parts are read as streams. What no table needs is refused before a sheet is
looked at: encryption, macros, links to other files, document types (through which XML names files
and entities), sizes beyond every register.
"""

from __future__ import annotations

import posixpath
import re
import zipfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from collections.abc import Set as AbstractSet
from contextlib import suppress
from dataclasses import dataclass
from typing import IO, Any, Self
from xml.parsers import expat

PIECE = 1 << 16
LONGEST_CELL = 32_767  # characters; what Excel itself allows
MOST_PARTS = 10_000
MOST_PENDING = 1 << 20  # bytes of one tag: a parser looks at an unfinished one again with every piece
BOMB_FROM, BOMB_RATIO = 32 << 20, 200  # honest sheets of any length pack to a tenth or a fortieth
MOST_SHEETS = 100
OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"  # what an encrypted workbook is packed in, and every .xls
_ENCRYPTED_STREAM = "EncryptedPackage".encode("utf-16-le")

_ESCAPE = re.compile(r"_x([0-9A-Fa-f]{4})_")  # how XML 1.0 carries characters it has none for
_UNSEEN_IN_FORMAT = re.compile(r'"[^"]*"|\[[^\]]*\]|\\.|_.|\*.')
_DATE_FORMATS = frozenset((*range(14, 18), 22, *range(27, 32), 34, 35, 36, *range(50, 59)))  # built in, East Asian too


class Refused(Exception):
    """The workbook is not read; `kind` names the refusal, `facts` its facts."""

    def __init__(self, kind: str, **facts: Any) -> None:
        super().__init__(kind)
        self.kind, self.facts = kind, facts


@dataclass(frozen=True, slots=True)
class Bounds:
    """What a workbook may hold.

    Of a cell no more than `text` characters are kept (escapes count as seven); `cut` of them may be
    dropped in all, before the workbook is refused. `told` is what all cells handed over may hold in
    characters: a text that stands once in the file may stand in every cell. `passive`: it may have
    neither macros nor links.
    """

    unpacked_bytes: int = 4 << 30
    text: int = 2 * LONGEST_CELL
    cut: int = 0
    told: int = 64_000_000
    passive: bool = True


@dataclass(frozen=True, slots=True)
class Sheet:
    """A sheet as the workbook lists it. `part` is empty for what is no table (a chart)."""

    name: str
    part: str
    hidden: bool


def local(name: str) -> str:
    """An element's name without its prefix: some programs write `x:row`."""
    return name.rpartition(":")[2]


def parse(stream: IO[bytes], start: Callable[..., Any], end: Callable[..., Any], data: Callable[..., Any]) -> None:
    """Feed a part to the handlers. Raises Refused."""
    for _ in fed(new_parser(start, end, data), pieces(stream)):
        pass


def pieces(stream: IO[bytes]) -> Iterator[bytes]:
    """A part from where it stands to its end, and then nothing: which is how its end is told to a parser."""
    while piece := stream.read(PIECE):
        yield piece
    yield b""


def fed(parser: Any, given: Iterable[bytes]) -> Iterator[None]:
    """Feed a parser and stop after each piece; a tag that does not end is not waited for. Raises Refused."""
    size = 0
    try:
        for piece in given:
            parser.Parse(piece, not piece)
            size += len(piece)
            if size - parser.CurrentByteIndex > MOST_PENDING:
                raise Refused("oversized", what="memory", limit="")
            yield
    except expat.ExpatError as error:
        raise _xml_refusal(error) from None


def new_parser(start: Callable[..., Any], end: Callable[..., Any], data: Callable[..., Any]) -> Any:
    """A parser that refuses document types."""
    parser = expat.ParserCreate()
    parser.buffer_text = True
    parser.buffer_size = PIECE
    parser.StartElementHandler, parser.EndElementHandler, parser.CharacterDataHandler = start, end, data
    parser.StartDoctypeDeclHandler = _refuse_doctype
    return parser


def _xml_refusal(error: expat.ExpatError) -> Refused:
    if error.code == expat.errors.codes[expat.errors.XML_ERROR_NO_MEMORY]:
        return Refused("oversized", what="memory", limit="")
    return Refused("broken")


def _refuse_doctype(*_: Any) -> None:
    raise Refused("active", what="doctype")


class Package:
    """An opened workbook."""

    def __init__(self, content: IO[bytes], bounds: Bounds) -> None:
        self.bounds = bounds
        if content.read(len(OLE)) == OLE:
            raise Refused("encrypted" if _ENCRYPTED_STREAM in content.read() else "old_format")
        try:
            self._zip = zipfile.ZipFile(content)
        except (zipfile.BadZipFile, NotImplementedError, ValueError, OSError, EOFError):
            raise Refused("broken") from None
        self._require_harmless()
        self._book = self._target("", "officeDocument") or "xl/workbook.xml"
        if not self.has(self._book):
            raise Refused("zip")
        self.sheets: tuple[Sheet, ...] = ()
        self.from_1904 = False
        self._related = self._relations(self._book)
        self._read_book()

    def _require_harmless(self) -> None:
        parts = self._zip.infolist()
        if len(parts) > MOST_PARTS:
            raise Refused("oversized", what="parts", limit=MOST_PARTS)
        if any(part.flag_bits & 1 for part in parts):
            raise Refused("encrypted")
        bombs = (part.file_size > BOMB_FROM and part.file_size > BOMB_RATIO * part.compress_size for part in parts)
        if any(bombs) or sum(part.file_size for part in parts) > self.bounds.unpacked_bytes:
            raise Refused("oversized", what="unpacked", limit="")
        names = [part.filename for part in parts]
        lower = [name.lower() for name in names]
        if len(set(lower)) != len(lower):  # one of the two is what other programs show
            raise Refused("broken")
        if self.bounds.passive:
            _require_passive(lower)

    def open(self, part: str) -> IO[bytes]:
        """A part as a stream that never gives more than the directory says. Raises Refused."""
        try:
            return _Guarded(self._zip.open(part))  # type: ignore[return-value]
        except (KeyError, zipfile.BadZipFile, NotImplementedError, RuntimeError, OSError):
            raise Refused("broken") from None

    def has(self, part: str) -> bool:
        return part in self._zip.NameToInfo

    def texts(self, upto: int | None = None) -> Texts:
        """The shared texts, which sheets refer to by number; at least the first `upto` of them if that is enough."""
        part = self._related_part("sharedStrings")
        reader = _TextReader(TextPieces(self.bounds), upto)
        if part and self.has(part) and upto != 0:
            with self.open(part) as stream, suppress(_Enough):
                parse(stream, reader.start, reader.end, reader.data)
        return Texts(reader.found, reader.cut)

    def date_styles(self) -> frozenset[str]:
        """The styles, by number as cells name them, that show a number as a day."""
        part = self._related_part("styles")
        reader = _Styles()
        if part and self.has(part):
            with self.open(part) as stream:
                parse(stream, reader.start, reader.end, reader.data)
        return frozenset(str(number) for number, style in enumerate(reader.cells) if reader.is_date(style))

    def _read_book(self) -> None:
        found: list[Sheet] = []

        def start(name: str, attributes: dict[str, str]) -> None:
            match local(name):
                case "workbookPr":
                    self.from_1904 = attributes.get("date1904", "0") in ("1", "true")
                case "sheet":
                    linked = next((value for key, value in attributes.items() if local(key) == "id" and ":" in key), "")
                    kind, part = self._related.get(linked, ("", ""))
                    is_table = kind.endswith("/worksheet") and self.has(part)
                    hidden = attributes.get("state", "visible") != "visible"
                    found.append(Sheet(attributes.get("name", ""), part if is_table else "", hidden))

        with self.open(self._book) as stream:
            parse(stream, start, _nothing, _nothing)
        if len(found) > MOST_SHEETS:
            raise Refused("oversized", what="sheets", limit=MOST_SHEETS)
        if not found:
            raise Refused("broken")
        self.sheets = tuple(found)

    def _related_part(self, kind: str) -> str:
        return next((part for what, part in self._related.values() if what.endswith("/" + kind)), "")

    def _target(self, base: str, kind: str) -> str:
        return next((part for what, part in self._relations(base).values() if what.endswith("/" + kind)), "")

    def _relations(self, part: str) -> dict[str, tuple[str, str]]:
        """Id → (kind, part) of what a part refers to inside the workbook."""
        folder, name = posixpath.split(part)
        listed = posixpath.join(folder, "_rels", f"{name}.rels")
        found: dict[str, tuple[str, str]] = {}

        def start(element: str, attributes: dict[str, str]) -> None:
            if local(element) == "Relationship" and attributes.get("TargetMode") != "External":
                target = attributes.get("Target", "")
                whole = target[1:] if target.startswith("/") else posixpath.join(folder, target)
                found[attributes.get("Id", "")] = (attributes.get("Type", ""), posixpath.normpath(whole))

        if self.has(listed):
            with self.open(listed) as stream:
                parse(stream, start, _nothing, _nothing)
        return found


def _require_passive(names: list[str]) -> None:
    if any(name.endswith("vbaproject.bin") or "/macrosheets/" in name for name in names):
        raise Refused("active", what="macros")
    if any("/externallinks/" in name for name in names):
        raise Refused("active", what="links")


class _Guarded:
    """A part whose damage is a refusal."""

    def __init__(self, stream: IO[bytes]) -> None:
        self._stream = stream

    def read(self, size: int) -> bytes:
        try:
            return self._stream.read(size)
        except Exception as damage:  # whatever a decoder says of damaged input
            if isinstance(damage, MemoryError):
                raise
            raise Refused("broken") from None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._stream.close()


def _nothing(*_: Any) -> None:
    pass


def decoded(text: str) -> str:
    """A text with the characters it carries as _x000D_."""
    return _ESCAPE.sub(lambda found: chr(int(found[1], 16)), text) if "_x" in text else text


class TextPieces:
    """Collects the character data of one text, cut where the bounds say; `cut` tells of the last one taken."""

    __slots__ = ("_longest", "_pieces", "_room", "_spare", "cut")

    def __init__(self, bounds: Bounds) -> None:
        self._pieces: list[str] = []
        self._longest = self._room = bounds.text
        self._spare = bounds.cut
        self.cut = False

    def add(self, piece: str) -> None:
        size = len(piece)
        if size > self._room:
            self._spare -= size - max(self._room, 0)
            if self._spare < 0:
                raise Refused("oversized", what="cell", limit=f"{min(self._longest, LONGEST_CELL):,}")
            piece = piece[: max(self._room, 0)]
        self._room -= size
        self._pieces.append(piece)

    def taken(self) -> str:
        text = "".join(self._pieces)
        self._pieces.clear()
        self.cut = self._room < 0
        self._room = self._longest
        return text


@dataclass(frozen=True, slots=True)
class Texts:
    """Shared texts, and the numbers of those that were cut."""

    found: Sequence[str] = ()
    cut: AbstractSet[int] = frozenset()


class _Enough(Exception):
    pass


class _TextReader:
    """Reads the shared texts; how they are spoken (phonetic runs) is not what they say."""

    def __init__(self, pieces: TextPieces, upto: int | None) -> None:
        self._upto = upto
        self.found: list[str] = []
        self.cut: set[int] = set()
        self._pieces = pieces
        self._in_text = self._spoken = False

    def start(self, name: str, _: dict[str, str]) -> None:
        name = local(name)
        if name == "t":
            self._in_text = not self._spoken
        elif name == "rPh":
            self._spoken = True

    def data(self, text: str) -> None:
        if self._in_text:
            self._pieces.add(text)

    def end(self, name: str) -> None:
        name = local(name)
        if name == "t":
            self._in_text = False
        elif name == "rPh":
            self._spoken = False
        elif name == "si":
            self.found.append(decoded(self._pieces.taken()))
            if self._pieces.cut:
                self.cut.add(len(self.found) - 1)
            if len(self.found) == self._upto:
                raise _Enough


class _Styles:
    """Reads which cell styles there are and how each shows a number."""

    def __init__(self) -> None:
        self.cells: list[int] = []
        self._formats: dict[int, str] = {}
        self._in_cells = False

    def start(self, name: str, attributes: dict[str, str]) -> None:
        match local(name):
            case "numFmt":
                self._formats[_number(attributes.get("numFmtId"))] = attributes.get("formatCode", "")
            case "cellXfs":
                self._in_cells = True
            case "xf" if self._in_cells:
                self.cells.append(_number(attributes.get("numFmtId")))

    def end(self, name: str) -> None:
        if local(name) == "cellXfs":
            self._in_cells = False

    def data(self, _: str) -> None:
        pass

    def is_date(self, style: int) -> bool:
        if style not in self._formats:
            return style in _DATE_FORMATS
        shown = _UNSEEN_IN_FORMAT.sub("", self._formats[style].split(";")[0]).lower()
        return "y" in shown or "d" in shown or ("m" in shown and "h" not in shown and "s" not in shown)


def _number(text: str | None) -> int:
    return int(text) if text and text.isdigit() else 0
