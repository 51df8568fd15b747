"""What a file is, by its content and never by its name (domain.md §18 traps 1 and 14)."""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from wanjia.files.sniffing import stray_line
from wanjia.intake.errors import BinaryFile, EmptyFile, StrayByte, Undecodable, UnsupportedFormat

HEAD = 256 * 1024  # enough for titles and header, and to tell one encoding from another

_BOMS = (
    (codecs.BOM_UTF32_LE, "utf-32-le"),  # begins like the mark of UTF-16, so it is looked for first
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_SIGNATURES = (
    (b"PK\x03\x04", "xlsx / zip"),
    (b"PK\x05\x06", "zip"),
    (b"Rar!", "rar"),
    (b"7z\xbc\xaf\x27\x1c", "7z"),
    (b"\x1f\x8b", "gzip"),
    (b"%PDF-", "pdf"),
    (b"{\\rtf", "rtf"),
    (b"MIME-Version:", "mht"),  # a page saved whole, which Excel offers as a workbook
    (b"\x09\x08\x10\0\0\x06", "xls"),
    (b"\x09\x08\x08\0\0\x05", "xls"),
    (b"\x09\x04\x06\0\0\0", "xls"),
)
_MARKUP = re.compile(
    rb"\s*<(?:!doctype|!--|html|head|meta|body|style|script|div|table|tr|svg|\?xml|\?mso|workbook)", re.IGNORECASE
)
_BINARY = re.compile(rb"[\x00-\x08\x0e-\x1a\x1c-\x1f]")
_DELIMITERS = (",", "\t", ";", "|")
_LONGEST_MARK = 4

# A few damaged cells are their rows' matter; a text damaged throughout is in no encoding known here.
_FEW_DAMAGED, _DAMAGED_ONE_IN = 20, 50


@dataclass(frozen=True, slots=True)
class Encoding:
    """How the bytes become text; `mark` bytes at the start belong to none."""

    name: str
    mark: int = 0

    @property
    def shown(self) -> str:
        """As a person would call it."""
        return {"gb18030": "GB18030", "utf-8": "UTF-8"}.get(self.name, self.name.upper()) + (
            " (BOM)" if self.mark else ""
        )


def head_of(parts: Iterable[bytes], size: int = HEAD) -> bytes:
    """The first bytes of a stream."""
    head = bytearray()
    for part in parts:
        head += part
        if len(head) >= size:
            break
    return bytes(head[:size])


def require_text(head: bytes) -> None:
    """Refuse what is no delimited text. Raises EmptyFile, UnsupportedFormat, StrayByte, BinaryFile."""
    if not head.strip(b"\x00\xef\xbb\xbf\xff\xfe \t\r\n,"):
        raise EmptyFile
    for signature, name in _SIGNATURES:
        if head.startswith(signature):
            raise UnsupportedFormat(format=name)
    marked = _marked(head)
    if _MARKUP.match(head[marked.mark :].replace(b"\0", b"") if marked else head):
        raise UnsupportedFormat(format="HTML / XML")
    if not marked and _BINARY.search(head):
        line = stray_line(head)
        raise BinaryFile if line is None else StrayByte(line=line)


def _marked(head: bytes) -> Encoding | None:
    for mark, name in _BOMS:
        if head.startswith(mark):
            return Encoding(name, len(mark))
    return None


class EncodingWatch:
    """Looks on while a file passes, and says at its end what it is written in.

    A mark decides. Else UTF-8, if every byte of the file is; GB18030 encodes every Chinese text
    that is not, its predecessors included.
    """

    def __init__(self) -> None:
        self._head = b""
        self._utf8: codecs.IncrementalDecoder | None = codecs.getincrementaldecoder("utf-8")("strict")

    def see(self, part: bytes) -> None:
        if len(self._head) < _LONGEST_MARK:
            self._head = (self._head + part)[:_LONGEST_MARK]
        if self._utf8 is not None:
            try:
                self._utf8.decode(part)
            except UnicodeDecodeError:
                self._utf8 = None

    def encoding(self) -> Encoding:
        return _marked(self._head) or Encoding("utf-8" if self._utf8 is not None else "gb18030")


def encoding_of_head(head: bytes) -> Encoding:
    """The encoding as far as the beginning of the file tells."""
    watch = EncodingWatch()
    watch.see(head)
    return watch.encoding()


def delimiter_of(lines: Iterable[str]) -> str:
    """The delimiter that splits most of the first lines, and splits them alike."""
    sample = [line for line in lines if line.strip()]

    def weight(delimiter: str) -> tuple[int, int]:
        counts = [line.count(delimiter) for line in sample]
        common = max(set(counts), key=counts.count, default=0)
        return (counts.count(common) if common else 0, common)

    return max(_DELIMITERS, key=weight)


def text_of(parts: Iterable[bytes], encoding: Encoding) -> Iterator[str]:
    """The stream as text with plain line ends, whatever ended its lines.

    Bytes that mean nothing become U+FFFD, and their row is refused where it is read.
    """
    decoder = codecs.getincrementaldecoder(encoding.name)("replace")
    lines = _LineEnds()
    skip = encoding.mark
    for part in parts:
        fresh = part[skip:]
        skip = max(0, skip - len(part))
        yield lines.plain(decoder.decode(fresh))
    yield lines.plain(decoder.decode(b"", final=True), last=True)


class _LineEnds:
    """Makes every line end a line feed, across the cuts of a stream."""

    def __init__(self) -> None:
        self._held = ""

    def plain(self, text: str, *, last: bool = False) -> str:
        text, self._held = self._held + text, ""
        if text.endswith("\r") and not last:  # perhaps the first half of \r\n
            text, self._held = text[:-1], "\r"
        return text.replace("\r\n", "\n").replace("\r", "\n") if "\r" in text else text


def require_decodable(text: str) -> None:
    """Refuse a text whose beginning is damaged throughout. Raises Undecodable."""
    damaged = text.count("\ufffd")
    if damaged > _FEW_DAMAGED and damaged * _DAMAGED_ONE_IN > len(text):
        raise Undecodable(line=text[: text.index("\ufffd")].count("\n") + 1)
