"""What a file is, by its first bytes; its name and the sender's media type say nothing here."""

from __future__ import annotations

import codecs
import re
from dataclasses import dataclass

HEAD = 4096  # bytes that decide


@dataclass(frozen=True, slots=True)
class Kind:
    """A recognisable type of file."""

    code: str
    media_type: str
    extension: str
    title: str


KINDS = {
    kind.code: kind
    for kind in (
        Kind("jpeg", "image/jpeg", ".jpg", "JPEG"),
        Kind("png", "image/png", ".png", "PNG"),
        Kind("webp", "image/webp", ".webp", "WebP"),
        Kind("pdf", "application/pdf", ".pdf", "PDF"),
        Kind("csv", "text/csv", ".csv", "CSV"),
        Kind("ole", "application/vnd.ms-excel", ".xls", "XLS"),
        Kind("xlsx", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", ".xlsx", "XLSX"),
    )
}
PICTURES = frozenset({"jpeg", "png", "webp"})

_OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_ZIP_ENTRY = b"PK\x03\x04"
# the first member of a workbook written by Excel, WPS, LibreOffice, openpyxl and xlsxwriter
_WORKBOOK_MEMBER = re.compile(rb"(\[Content_Types\]\.xml|_rels/|docProps/|xl/)")
# What people hand in by mistake, by how it begins: told in the refusal, taken nowhere.
_OTHERS = (
    (rb"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "XLS / ET / DOC"),
    (rb"\x09[\x00\x02\x04\x08][\x04-\x10]\x00", "XLS"),
    (rb"PK[\x01\x03\x05\x07]", "ZIP"),
    (rb"Rar!", "RAR"),
    (rb"7z\xbc\xaf\x27\x1c", "7Z"),
    (rb"\x1f\x8b", "GZIP"),
    (rb"\{\\rtf", "RTF"),
    (rb"GIF8", "GIF"),
    (rb"BM.{4}\0\0\0\0", "BMP"),
    (rb"II\*\0|MM\0\*", "TIFF"),
    (rb".{4}ftyp(?:hei|hev|mif|msf)", "HEIC"),
    (rb".{4}ftyp", "MP4"),
    (rb"MZ|\x7fELF", "EXE"),
    (rb"MIME-Version:", "MHT"),
    (rb"(?:\xef\xbb\xbf)?\s*<", "HTML / XML"),
)
_OTHER = tuple((re.compile(start, re.DOTALL), name) for start, name in _OTHERS)
UNKNOWN = "?"
_FEW_STRAYS, _STRAYS_ONE_IN = 3, 20  # so many stray bytes, and so rare, are somebody's slip and no other format

_MARKUP = re.compile(rb"\s*(<!doctype|<html|<script|<svg|<\?xml|<body|<head|<iframe|%!ps|#!)", re.IGNORECASE)


def kind_of(head: bytes) -> str | None:
    """The kind a file of these first bytes is; None for anything not in KINDS.

    A PDF must begin with its mark (readers accept it within the first kilobyte, which is how
    polyglots are made), and text that begins like markup is no CSV.
    """
    if head.startswith(b"\xff\xd8\xff"):
        return "jpeg"
    if head.startswith(b"\x89PNG\r\n\x1a\n"):
        return "png"
    if head.startswith(b"RIFF") and head[8:12] == b"WEBP":
        return "webp"
    if re.match(rb"%PDF-[12]\.\d", head):
        return "pdf"
    if head.startswith((_OLE, _ZIP_ENTRY)):
        return _packed(head)
    return "csv" if _is_table_text(head) else None


def _packed(head: bytes) -> str | None:
    if head.startswith(_OLE):
        return "ole"
    return "xlsx" if _WORKBOOK_MEMBER.match(head[30:]) else None


def title_of(head: bytes) -> str:
    """What a person would call a file of these first bytes; UNKNOWN for what nobody knows."""
    kind = kind_of(head)
    if kind is not None and kind != "ole":
        return KINDS[kind].title
    return next((name for start, name in _OTHER if start.match(head)), UNKNOWN)


def _is_table_text(head: bytes) -> bool:
    if head.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return True  # Excel's "Unicode text"; the reader of the department's file judges it
    text = head.removeprefix(codecs.BOM_UTF8)
    if not text.strip() or b"\0" in text or _MARKUP.match(text):
        return False
    if any(byte < ord(" ") and byte not in b"\t\r\n\f\x1a" for byte in text):
        return False
    whole = len(head) < HEAD  # else it may end inside a character
    return any(_decodes(text, encoding, whole=whole) for encoding in ("utf-8", "gb18030"))


def stray_line(head: bytes) -> int | None:
    """The line of the first byte that keeps a text from being one; None for what is no text with a stray byte or two.

    Counted in the encoding that fits best; a text damaged throughout has no line to look at.
    """
    if title_of(head) != UNKNOWN or _MARKUP.match(head.removeprefix(codecs.BOM_UTF8)):
        return None
    controls = [at for at, byte in enumerate(head) if byte < ord(" ") and byte not in b"\t\r\n\f\x1a"]
    found = min((_undecoded(head, encoding) for encoding in ("utf-8", "gb18030")), key=len)
    strays = sorted({*controls, *found})
    if not strays or len(strays) > _FEW_STRAYS or len(strays) * _STRAYS_ONE_IN > len(head):
        return None
    before = head[: strays[0]].replace(b"\r\n", b"\n").replace(b"\r", b"\n")
    return before.count(b"\n") + 1


def _undecoded(text: bytes, encoding: str) -> list[int]:
    """Where bytes are no character, up to more than a few; one cut off by the end of the head is none of them."""
    found: list[int] = []
    at = 0
    while len(found) <= _FEW_STRAYS:
        try:
            codecs.getincrementaldecoder(encoding)().decode(text[at:], final=len(text) < HEAD)
        except UnicodeDecodeError as wrong:
            found.append(at + wrong.start)
            at += wrong.start + 1
        else:
            break
    return found


def _decodes(text: bytes, encoding: str, *, whole: bool) -> bool:
    decoder = codecs.getincrementaldecoder(encoding)()
    try:
        decoder.decode(text, final=whole)
    except UnicodeDecodeError:
        return False
    return True
