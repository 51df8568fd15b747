"""Files a department might send by accident, and files somebody might send on purpose."""

from __future__ import annotations

import io
import random
import struct
import zipfile
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache

from tests.factories.sources import HEADER, delivery, row

MEGABYTE = 1 << 20
HEAD = delivery(footer=False).encode()  # three good rows
ROW = (",".join(row(7)) + "\r\n").encode()


@dataclass(frozen=True)
class File:
    """A file, made anew on each reading, and the code it is answered with; "" when it may be read.

    `cure` is a word of what the answer tells the sender to do.
    """

    name: str
    parts: Callable[[], Iterator[bytes]]
    code: str
    cure: str = ""


def _zip(*members: tuple[str | zipfile.ZipInfo, bytes], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", method) as archive:
        for name, content in members:
            archive.writestr(name, content)
    return out.getvalue()


_RELATIONS = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_TYPES = ("[Content_Types].xml", b'<?xml version="1.0"?><Types/>')
_SHEETS = f'<workbook xmlns:r="{_RELATIONS}"><sheets><sheet name="a" r:id="r1"/></sheets></workbook>'.encode()
_LINKS = f'<x><Relationship Id="r1" Type="{_RELATIONS}/worksheet" Target="worksheets/sheet1.xml"/></x>'.encode()
_BOOK = '<?xml version="1.0"?>{doctype}<worksheet><dimension ref="{ref}"/><sheetData>{cells}</sheetData></worksheet>'


def _workbook(sheet: bytes, *more: tuple[str, bytes]) -> bytes:
    links = ("xl/_rels/workbook.xml.rels", _LINKS)
    return _zip(_TYPES, ("xl/workbook.xml", _SHEETS), links, ("xl/worksheets/sheet1.xml", sheet), *more)


def _sheet(*, doctype: str = "", ref: str = "A1", cells: str = "") -> bytes:
    return _BOOK.format(doctype=doctype, ref=ref, cells=cells).encode()


def long_cell(size: int) -> bytes:
    """A workbook with one cell of so many bytes, packing badly enough to look honest."""
    letters = random.Random(1).choices(b"0123456789abcdef", k=20_000)
    piece = bytes(letters) + b"x" * (MEGABYTE - 20_000)
    return _workbook(_sheet(cells=_CELL).replace(b"{}", piece * (size // MEGABYTE)))


@cache
def _deflated_zeros(size: int) -> bytes:
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    block = bytes(MEGABYTE)
    return b"".join(packer.compress(block) for _ in range(size // MEGABYTE)) + packer.flush()


def zip_bomb(size: int = 300 * MEGABYTE, *, told: int | None = None) -> bytes:
    """A workbook of a few hundred kB with a sheet of `size`, whose header may tell another size."""
    packed = _deflated_zeros(size)
    name = b"xl/worksheets/sheet1.xml"
    told = size if told is None else told
    sizes = struct.pack("<III", 0, len(packed), told)
    local = b"PK\x03\x04" + struct.pack("<HHHHH", 20, 0, 8, 0, 0) + sizes + struct.pack("<HH", len(name), 0) + name
    entry = b"PK\x01\x02" + struct.pack("<HHHHHH", 20, 20, 0, 8, 0, 0) + sizes
    entry += struct.pack("<HHHHHII", len(name), 0, 0, 0, 0, 0, 0) + name
    body = local + packed
    return body + entry + b"PK\x05\x06" + struct.pack("<HHHHIIH", 0, 0, 1, 1, len(entry), len(body), 0)


def nested_bomb(depth: int = 6, width: int = 16) -> bytes:
    """As 42.zip: every archive holds sixteen of the next."""
    inner = zip_bomb(16 * MEGABYTE)
    for _ in range(depth):
        inner = _zip(*((f"lib {number}.zip", inner) for number in range(width)))
    return inner


def _overlapping_bomb() -> bytes:
    """Many entries of the directory point at the same content, as Fifield's bombs do."""
    whole = zip_bomb(8 * MEGABYTE)
    at, end = whole.index(b"PK\x01\x02"), whole.rindex(b"PK\x05\x06")
    entry = whole[at:end]
    many = 3_000
    return (
        whole[:at] + entry * many + b"PK\x05\x06" + struct.pack("<HHHHIIH", 0, 0, many, many, len(entry) * many, at, 0)
    )


def _symlink() -> bytes:
    link = zipfile.ZipInfo("xl/worksheets/sheet1.xml")
    link.create_system, link.external_attr = 3, 0o120777 << 16
    return _zip(
        _TYPES, (link, b"../../../../../etc/passwd"), ("../../../../tmp/out.csv", b"x"), ("/etc/cron.d/x", b"x")
    )


def _ole(*streams: str) -> bytes:
    """An OLE2 container: BIFF workbooks and encrypted ones look alike from outside."""
    return b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(504) + "".join(streams).encode("utf-16-le").ljust(1024, b"\0")


_XXE = '<!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/passwd">]>'
_LAUGHS = "<!DOCTYPE x [<!ENTITY a0 'ha'>{}]>".format(
    "".join(f"<!ENTITY a{n} '{f'&a{n - 1};' * 10}'>" for n in range(1, 12))
)
_CELL = '<row r="1"><c r="A1" t="inlineStr"><is><t>{}</t></is></c></row>'


def _once(content: bytes | str, encoding: str = "utf-8") -> Callable[[], Iterator[bytes]]:
    data = content if isinstance(content, bytes) else content.encode(encoding)
    return lambda: iter([data])


def _made(make: Callable[[], bytes]) -> Callable[[], Iterator[bytes]]:
    return lambda: iter([make()])


def _long(start: bytes, piece: bytes, times: int, end: bytes = b"") -> Callable[[], Iterator[bytes]]:
    """A long file that is nowhere whole in memory."""

    def parts() -> Iterator[bytes]:
        yield start
        for _ in range(times):
            yield piece
        yield end

    return parts


def _rows(count: int) -> bytes:
    return HEAD + ROW * count


WIDE = 1_000_000
PACKED = [
    File("300 MB of zeros.xlsx", _made(zip_bomb), "engine.workbook_too_large", "CSV"),
    File("header lies.xlsx", _made(lambda: zip_bomb(64 * MEGABYTE, told=12)), "engine.no_workbook", "CSV"),
    File("nested.zip", _made(lambda: nested_bomb(2)), "intake.unsupported_format", "CSV"),
    File("overlapping.xlsx", _made(_overlapping_bomb), "engine.workbook_too_large", "CSV"),
    File("dimension.xlsx", _made(lambda: _workbook(_sheet(ref="A1:XFD1048576"))), "intake.empty_file", "导出"),
    File(
        "a billion rows.xlsx",
        _made(lambda: _workbook(_sheet(ref="A1:XFD1000000000", cells=_CELL.replace('r="1"', 'r="1000000000"')))),
        "engine.workbook_too_large",
        "CSV",
    ),
    File("one cell of 8 MB.xlsx", _made(lambda: long_cell(8 * MEGABYTE)), "engine.workbook_too_large", "CSV"),
    File(
        "xxe.xlsx",
        _made(lambda: _workbook(_sheet(doctype=_XXE, cells=_CELL.format("&e;")))),
        "engine.workbook_active",
        "数值",
    ),
    File(
        "laughs.xlsx",
        _made(lambda: _workbook(_sheet(doctype=_LAUGHS, cells=_CELL.format("&a11;")))),
        "engine.workbook_active",
        "数值",
    ),
    File(
        "macros.xlsm",
        _made(lambda: _workbook(_sheet(), ("xl/vbaProject.bin", b"x"))),
        "engine.workbook_active",
        "数值",
    ),
    File(
        "links.xlsx",
        _made(lambda: _workbook(_sheet(), ("xl/externalLinks/externalLink1.xml", b"<x/>"))),
        "engine.workbook_active",
        "数值",
    ),
    File("symlink.xlsx", _made(_symlink), "engine.no_workbook", "CSV"),
    File("encrypted.xlsx", _once(_ole("EncryptedPackage", "EncryptionInfo")), "engine.workbook_encrypted", "密码"),
    File("biff.xls", _once(_ole("Workbook")), "engine.workbook_old_format", "CSV"),
    File("biff5.xls", _once(b"\x09\x08\x08\x00\x00\x05\x05\x00" + bytes(600)), "intake.unsupported_format", "CSV"),
    File("empty.zip", _once(b"PK\x05\x06" + bytes(18)), "intake.unsupported_format", "CSV"),
    File(
        "bomb.gz",
        _made(lambda: b"\x1f\x8b\x08\0\0\0\0\0\0\x03" + _deflated_zeros(32 * MEGABYTE)),
        "intake.unsupported_format",
        "CSV",
    ),
    File("x.rar", _once(b"Rar!\x1a\x07\x01\0" + bytes(100)), "intake.unsupported_format", "CSV"),
    File("x.7z", _once(b"7z\xbc\xaf\x27\x1c" + bytes(100)), "intake.unsupported_format", "CSV"),
    File(
        "table.xls",
        _once("<html xmlns:o='urn:x'><table><tr><td>号牌号码</td></tr></table>"),
        "intake.unsupported_format",
        "CSV",
    ),
    File(
        "comment.xls", _once("<!-- x --><table><tr><td>号牌号码</td></tr></table>"), "intake.unsupported_format", "CSV"
    ),
    File("style.xls", _once("<style>td{}</style><table><tr><td>号牌号码"), "intake.unsupported_format", "CSV"),
    File(
        "archive.mht.xls",
        _once("MIME-Version: 1.0\r\nContent-Type: multipart/related\r\n\r\n<html>"),
        "intake.unsupported_format",
        "CSV",
    ),
    File(
        "2003.xml",
        _once('<?xml version="1.0"?><?mso-application progid="Excel.Sheet"?><Workbook/>'),
        "intake.unsupported_format",
        "CSV",
    ),
    File("marked.html", _once("\ufeff<table><tr><td>x"), "intake.unsupported_format", "CSV"),
    File("utf-16.html", _once("<html><table><tr><td>x", "utf-16"), "intake.unsupported_format", "CSV"),
    File("x.pdf", _once(b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n"), "intake.unsupported_format", "CSV"),
    File("x.rtf", _once(b"{\\rtf1 x}"), "intake.unsupported_format", "CSV"),
    File("x.png", _once(b"\x89PNG\r\n\x1a\n" + bytes(100)), "intake.binary_file", "CSV"),
    File("program.csv", _once(b"MZ\x90\0" + bytes(500)), "intake.binary_file", "CSV"),
    File("zeros.csv", _long(b"", bytes(MEGABYTE), 8), "intake.empty_file", "导出"),
]
TEXTS = [
    File("a million columns.csv", _once(b"a," * WIDE + b"\r\n" + b"1," * WIDE), "intake.unknown_layout", "表头"),
    File(
        "a good header and 200,000 more columns.csv",
        _once((",".join(HEADER) + "," * 200_000 + "\r\n" + ",".join(row(1)) + "," * 200_000 + "\r\n").encode()),
        "intake.too_many_columns",
        "空列",
    ),
    File(
        "a good header and 20,000 more columns.csv",
        _once((",".join(HEADER) + "," * 20_000 + "\r\n" + (",".join(row(1)) + "," * 20_000 + "\r\n") * 200).encode()),
        "intake.too_many_columns",
        "空列",
    ),
    File("a row of a million columns.csv", _once(HEAD + b"1," * WIDE + b"\r\n" + ROW), ""),
    File("two rows of a million columns.csv", _long(HEAD, b"1," * WIDE + b"\r\n", 2, ROW), ""),
    File("one line of 10 MB.csv", _long(b"", b"x" * MEGABYTE, 10), "intake.endless_line", "每条记录一行"),
    File("one quoted line of 10 MB.csv", _long(b'"', b"x" * MEGABYTE, 10), "intake.unbalanced_quote", "双引号"),
    File("good, then a line of 10 MB.csv", _long(HEAD, b"x" * MEGABYTE, 10), "intake.endless_line", "每条记录一行"),
    File(
        "good, then a quoted cell of 10 MB.csv",
        _long(HEAD + b'1,"', b"x\r\n" * 300_000, 10),
        "intake.unbalanced_quote",
        "双引号",
    ),
    File(
        "good, then a quoted line of 10 MB.csv",
        _long(HEAD + b'1,"', b"x" * MEGABYTE, 10),
        "intake.endless_line",
        "每条记录一行",
    ),
    File("nothing but quotes.csv", _long(HEAD, b'"' * MEGABYTE, 10), "intake.endless_line", "每条记录一行"),
    File("nothing but line ends.csv", _long(HEAD, b"\r\n" * 500_000, 2), "", ""),
    File("lines of one letter.csv", _long(HEAD, b"x\r\n" * 320_000, 2), "intake.mostly_broken", "分隔符"),
    File("lines of one delimiter.csv", _long(HEAD, b",\r\n" * 320_000, 2), "", ""),
    File("nothing but delimiters.csv", _long(HEAD, b"," * MEGABYTE, 10), "intake.endless_line", "每条记录一行"),
    File("NUL in the head.csv", _once(HEAD.replace(b"\xe9\x9f\xa6", b"\0", 1)), "intake.stray_byte", "改正该行"),
    File(
        "NUL further down.csv",
        _once(
            _rows(4000)
            + ROW.replace("韦英".encode(), b"\0\0")
            + ROW.replace(b",\xe4\xba\x94", b",\0\xe4\xba\x94")
            + ROW
        ),
        "",
    ),
    File(
        "NUL in utf-16.csv",
        _once(delivery([row(1, 品牌型号="a\0b"), row(2, 所有人="韦\0"), row(3, 初次登记日期="\0")]), "utf-16"),
        "",
    ),
    File(
        "NUL in a utf-16 header.csv", _once(delivery(header=[*HEADER, "备\0注"], rows=[[*row(1), "\0"]]), "utf-16"), ""
    ),
    File("half of utf-16.csv", _once(delivery().encode("utf-16")[:-1]), "intake.truncated_file", "重新导出"),
    File("utf-16 without a mark.csv", _once(delivery(), "utf-16-le"), "intake.binary_file", "CSV"),
    File("utf-32.csv", _once(delivery(), "utf-32"), ""),
    File(
        "gb18030 with stray bytes.csv",
        _once(delivery().encode("gb18030").replace("韦英".encode("gb18030"), b"\xff\x80\xff")),
        "",
    ),
    File("damaged throughout.csv", _once(b"\xff\x81" * 5000), "intake.undecodable", "导出"),
    File(
        "two encodings.csv",
        _once(_rows(20) + delivery(title=None, footer=False).encode("gb18030")),
        "intake.unknown_layout",
        "表头",
    ),
    File(
        "lone surrogates.csv",
        _once(b"\xff\xfe" + delivery().encode("utf-16-le").replace("韦".encode("utf-16-le"), b"\x00\xd8")),
        "",
    ),
    File(
        "a control character in every cell.csv",
        _once(_rows(4000) + (",".join(f"\x01{cell}\x1f" for cell in row(9)) + "\r\n").encode()),
        "",
    ),
    File("quotes inside.csv", _once(HEAD + ROW.replace("五菱".encode(), b'"x"y"')), ""),
    File("only a header.csv", _once(",".join(HEADER)), "intake.empty_file", "导出"),
    File("a header 500 times.csv", _once((",".join(HEADER) + "\r\n") * 500), "intake.empty_file", "导出"),
    File("spreadsheet says sep.csv", _once("sep=,\r\n" + delivery()), ""),
]
FILES = PACKED + TEXTS
