"""The child process of `workbooks`: unpacks and parses one .xlsx, says what its cells hold, in JSON lines.

Nothing of the file is believed before it is measured: sizes in its directory, claimed dimensions
and row numbers decide nothing, a cell's text is cut while it arrives, and a document type (which
could name other files or multiply itself) ends the reading. The standard library only, so that the
limits are taken before anything large is loaded.
"""

from __future__ import annotations

import io
import json
import re
import sys
import zipfile
import zlib
from collections.abc import Callable, Iterator
from typing import Any, BinaryIO
from xml.parsers import expat

from wanjia.engine.limits import take_upon_us

MOST_ROWS, MOST_COLUMNS = 1_048_576, 16_384  # what a sheet can have at all
PIECE = 64 * 1024
TOGETHER = 200  # rows in one line
MOST_MERGED = 10_000
MOST_CUT = 8_000_000  # characters beyond what cells can hold; more of them nobody typed
MOST_PENDING = 1 << 20  # bytes of one tag: a parser looks at an unfinished one again with every piece
OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"  # what an encrypted workbook is packed in, and every .xls
ENCRYPTED_STREAM = "EncryptedPackage".encode("utf-16-le")
BUILT_IN_DATES = frozenset({*range(14, 23), *range(27, 37), *range(45, 48), *range(50, 59)})
_NOT_CODE = re.compile(r'"[^"]*"|\\.|_.|\[[^\]]*\]')
_ESCAPED = re.compile("_x([0-9A-Fa-f]{4})_")
_PLACE = re.compile(r"([A-Z]{1,3})([1-9][0-9]{0,9})")


class Refused(Exception):
    """Why the file is not read, for the parent to put into words."""

    def __init__(self, reason: str, **facts: Any) -> None:
        super().__init__(reason)
        self.facts = {"reason": reason, **facts}


def main(stdin: BinaryIO, stdout: BinaryIO) -> None:
    """Read limits and file, write what is in it."""
    limits = json.loads(stdin.readline())
    take_upon_us({**limits, "file_bytes": 0, "open_files": 16})

    def say(*words: Any) -> None:
        stdout.write(json.dumps(words, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "replace") + b"\n")

    try:
        content = stdin.read()
        for words in Book(content, limits).told():
            say(*words)
        say("done")
    except Refused as refused:
        say("refused", refused.facts)
    except MemoryError:
        say("refused", {"reason": "memory"})
    except (zipfile.BadZipFile, zlib.error, EOFError, KeyError, NotImplementedError, expat.ExpatError) as error:
        # an allocation the operating system refuses inside expat arrives as one of its errors
        full = getattr(error, "code", 0) == expat.errors.codes[expat.errors.XML_ERROR_NO_MEMORY]
        say("refused", {"reason": "memory" if full else "broken"})
    stdout.flush()


class Book:
    """One workbook, told sheet by sheet as it is parsed."""

    def __init__(self, content: bytes, limits: dict[str, Any]) -> None:
        if content.startswith(OLE):
            raise Refused("encrypted" if ENCRYPTED_STREAM in content else "old_format")
        self._limits = limits
        self._zip = zipfile.ZipFile(io.BytesIO(content))
        self._unpacked = 0
        for entry in self._zip.infolist():
            if entry.flag_bits & 1:
                raise Refused("encrypted")
        self._names = {entry.filename.lstrip("/"): entry for entry in self._zip.infolist()}
        self._rows = 0

    def told(self) -> Iterator[tuple[Any, ...]]:
        """Every sheet: its name and whether it is hidden, its rows, its merged cells."""
        sheets, starts_1904 = self._sheets()
        yield "book", starts_1904
        dates = self._date_styles()
        texts: list[str | None] = []
        if "xl/sharedStrings.xml" in self._names:
            texts = Texts(self._limits["text"]).read(self._parts("xl/sharedStrings.xml"))
        for name, hidden, part in sheets:
            yield "sheet", name, hidden
            sheet = Sheet(self._limits, texts, dates)
            for rows in sheet.read(self._parts(part)):
                self._rows += len(rows)
                if self._rows > self._limits["rows"]:
                    raise Refused("rows", limit=self._limits["rows"])
                yield "rows", rows
            yield "end", sheet.merged

    def _parts(self, name: str) -> Iterator[bytes]:
        """An unpacked part in pieces, counted: what its directory says of its size is not asked."""
        entry = self._names.get(name)
        if entry is None:
            raise Refused("broken")
        with self._zip.open(entry) as part:
            while piece := part.read(PIECE):
                self._unpacked += len(piece)
                if self._unpacked > self._limits["unpacked_bytes"]:
                    raise Refused("unpacked", limit=self._limits["unpacked_bytes"])
                yield piece

    def _sheets(self) -> tuple[list[tuple[str, bool, str]], bool]:
        """(name, hidden, part) of each sheet in the order of its tab; whether days are counted from 1904."""
        targets: dict[str, str] = {}
        found: list[tuple[str, bool, str]] = []
        of_1904 = [False]

        def relation(tag: str, facts: dict[str, str]) -> None:
            if tag == "Relationship":
                target = facts.get("Target", "")
                targets[facts.get("Id", "")] = target.lstrip("/") if target.startswith("/") else f"xl/{target}"

        def sheet(tag: str, facts: dict[str, str]) -> None:
            if tag == "workbookPr":
                of_1904[0] = facts.get("date1904") in ("1", "true")
            elif tag == "sheet":
                number = next((value for key, value in facts.items() if key.rpartition(":")[2] == "id"), "")
                part = targets.get(number, "")
                if "/worksheets/" in part or "sheet" in part.lower():
                    found.append((facts.get("name", "")[:100], facts.get("state", "visible") != "visible", part))

        _walk(self._parts("xl/_rels/workbook.xml.rels"), relation)
        _walk(self._parts("xl/workbook.xml"), sheet)
        if not found:
            raise Refused("broken")
        return found[:100], of_1904[0]

    def _date_styles(self) -> frozenset[str]:
        """The style numbers whose cells show a number as a day or an instant."""
        if "xl/styles.xml" not in self._names:
            return frozenset()
        codes: dict[str, str] = {}
        dates: list[str] = []
        state = {"in_cells": False, "number": 0}

        def begin(tag: str, facts: dict[str, str]) -> None:
            if tag == "numFmt":
                codes[facts.get("numFmtId", "")] = facts.get("formatCode", "")
            elif tag == "cellXfs":
                state["in_cells"] = True
            elif tag == "xf" and state["in_cells"]:
                form = facts.get("numFmtId", "0")
                own = _NOT_CODE.sub("", codes.get(form, "")).lower()
                if (form.isdigit() and int(form) in BUILT_IN_DATES) or any(letter in own for letter in "ydhs"):
                    dates.append(str(state["number"]))
                state["number"] += 1

        def end(tag: str) -> None:
            if tag == "cellXfs":
                state["in_cells"] = False

        _walk(self._parts("xl/styles.xml"), begin, end)
        return frozenset(dates)


def _walk(
    parts: Iterator[bytes], begin: Callable[[str, dict[str, str]], None], end: Callable[[str], None] | None = None
) -> None:
    parser = _parser()
    parser.StartElementHandler = lambda name, facts: begin(name.rpartition(":")[2], facts)
    if end is not None:
        parser.EndElementHandler = lambda name: end(name.rpartition(":")[2])
    for _ in _pieces(parser, parts):
        pass


def _pieces(parser: expat.XMLParserType, parts: Iterator[bytes]) -> Iterator[None]:
    """Parse piece by piece; a tag that does not end is not waited for."""
    given = 0
    for piece in parts:
        parser.Parse(piece)
        given += len(piece)
        if given - parser.CurrentByteIndex > MOST_PENDING:
            raise Refused("memory")
        yield
    parser.Parse(b"", True)  # noqa: FBT003 - expat takes no names


def _parser() -> expat.XMLParserType:
    parser = expat.ParserCreate()
    parser.buffer_text = True

    def refuse(*_: object) -> None:
        raise Refused("broken")

    parser.StartDoctypeDeclHandler = refuse
    return parser


def _shown(text: str) -> str:
    """A text as Excel shows it: _xHHHH_ is a character."""
    return _ESCAPED.sub(lambda found: chr(int(found[1], 16)), text) if "_x" in text else text


class _Kept:
    """A text as it arrives, no longer than allowed; `cut` says that there was more."""

    __slots__ = ("_dropped", "_left", "_longest", "_pieces", "cut")

    def __init__(self, longest: int) -> None:
        self._longest = self._left = longest
        self._pieces: list[str] = []
        self._dropped = 0
        self.cut = False

    def add(self, text: str) -> None:
        if len(text) > self._left:
            self.cut = True
            self._dropped += len(text) - self._left
            if self._dropped > MOST_CUT:
                raise Refused("text", limit=self._longest)
            text = text[: self._left]
        if text:
            self._pieces.append(text)
            self._left -= len(text)

    def taken(self) -> str:
        text = self._pieces[0] if len(self._pieces) == 1 else "".join(self._pieces)
        self._pieces, self._left = [], self._longest
        return text


class Texts:
    """The texts the sheets refer to by number; None for one that is too long to be kept."""

    def __init__(self, longest: int) -> None:
        self._kept = _Kept(longest)
        self._found: list[str | None] = []
        self._inside = False
        self._phonetic = False

    def read(self, parts: Iterator[bytes]) -> list[str | None]:
        parser = _parser()
        parser.StartElementHandler = self._begin
        parser.EndElementHandler = self._end
        parser.CharacterDataHandler = self._text
        for _ in _pieces(parser, parts):
            pass
        return self._found

    def _begin(self, name: str, _: dict[str, str]) -> None:
        tag = name.rpartition(":")[2]
        if tag == "t":
            self._inside = not self._phonetic
        elif tag == "rPh":
            self._phonetic = True
        elif tag == "si":
            self._kept.taken()
            self._kept.cut = False

    def _end(self, name: str) -> None:
        tag = name.rpartition(":")[2]
        if tag == "t":
            self._inside = False
        elif tag == "rPh":
            self._phonetic = False
        elif tag == "si":
            self._found.append(None if self._kept.cut else _shown(self._kept.taken()))

    def _text(self, text: str) -> None:
        if self._inside:
            self._kept.add(text)


class Sheet:
    """One sheet parsed: rows of (column, kind, text, formula); see `workbooks.Cell` for the kinds."""

    def __init__(self, limits: dict[str, Any], texts: list[str | None], dates: frozenset[str]) -> None:
        self._limits, self._texts, self._dates = limits, texts, dates
        self.merged: list[str] = []
        self._rows: list[tuple[int, bool, list[tuple[Any, ...]]]] = []
        self._cells: list[tuple[Any, ...]] = []
        self._number, self._row_hidden = 0, False
        self._column, self._type, self._style, self._formula = 0, "n", "", False
        self._kept = _Kept(limits["text"])
        self._inside = self._phonetic = False

    def read(self, parts: Iterator[bytes]) -> Iterator[list[tuple[int, bool, list[tuple[Any, ...]]]]]:
        parser = _parser()
        parser.StartElementHandler = self._begin
        parser.EndElementHandler = self._end
        parser.CharacterDataHandler = self._text
        for _ in _pieces(parser, parts):
            if len(self._rows) >= TOGETHER:
                yield self._taken()
        if self._rows:
            yield self._taken()

    def _taken(self) -> list[tuple[int, bool, list[tuple[Any, ...]]]]:
        rows, self._rows = self._rows, []
        return rows

    def _begin(self, name: str, facts: dict[str, str]) -> None:
        tag = name.rpartition(":")[2]
        if tag == "c":
            self._column = self._column_of(facts.get("r"))
            self._type, self._style, self._formula = facts.get("t", "n"), facts.get("s", "0"), False
            self._kept.taken()
            self._kept.cut = False
        elif tag in ("v", "t"):
            self._inside = not self._phonetic
        elif tag == "f":
            self._formula = True
        elif tag == "row":
            self._begin_row(facts)
        elif tag == "rPh":
            self._phonetic = True
        elif tag == "mergeCell" and len(self.merged) < MOST_MERGED:
            self.merged.append(facts.get("ref", "")[:40])

    def _begin_row(self, facts: dict[str, str]) -> None:
        given = facts.get("r", "")
        number = int(given) if given.isascii() and given.isdigit() and len(given) <= 10 else self._number + 1  # noqa: PLR2004
        if not self._number < number <= MOST_ROWS:
            raise Refused("rows", limit=MOST_ROWS) if number > MOST_ROWS else Refused("broken")
        self._number, self._cells, self._column = number, [], -1
        self._row_hidden = facts.get("hidden") in ("1", "true")

    def _column_of(self, place: str | None) -> int:
        if place is None:
            return self._column + 1
        found = _PLACE.fullmatch(place)
        if found is None:
            raise Refused("broken")
        column = 0
        for letter in found[1]:
            column = column * 26 + ord(letter) - 64
        if column > MOST_COLUMNS:
            raise Refused("columns", limit=MOST_COLUMNS)
        return column - 1

    def _end(self, name: str) -> None:
        tag = name.rpartition(":")[2]
        if tag == "c":
            self._end_cell()
        elif tag in ("v", "t"):
            self._inside = False
        elif tag == "row":
            if self._cells:
                self._rows.append((self._number, self._row_hidden, self._cells))
            if len(self._rows) > self._limits["rows"]:
                raise Refused("rows", limit=self._limits["rows"])
        elif tag == "rPh":
            self._phonetic = False

    def _text(self, text: str) -> None:
        if self._inside:
            self._kept.add(text)

    def _end_cell(self) -> None:
        if self._column >= self._limits["columns"]:
            return
        cut, text = self._kept.cut, self._kept.taken()
        kind = self._kind()
        if self._type == "s" and text:
            at = int(text) if text.isascii() and text.isdigit() and len(text) < 10 else -1  # noqa: PLR2004 - a number of 9 digits is no text's
            if not 0 <= at < len(self._texts):
                raise Refused("broken")
            shared = self._texts[at]
            cut, text = shared is None, shared or ""
        elif kind == "s":
            text = _shown(text)
        if text or cut or self._formula:
            cell = (self._column, "long" if cut else kind, text)
            self._cells.append((*cell, 1) if self._formula else cell)

    def _kind(self) -> str:
        if self._type in ("s", "str", "inlineStr"):
            return "s"
        if self._type in ("b", "e"):
            return self._type
        return "d" if self._type == "n" and self._style in self._dates else "i" if self._type == "d" else "n"


if __name__ == "__main__":
    main(sys.stdin.buffer, sys.stdout.buffer)
