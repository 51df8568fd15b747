"""The search itself: whatever a needle is written as, wherever it lies, it is found; and nothing else is."""

import base64
import gzip
import io
import itertools
import random
import sqlite3
import struct
import zipfile
import zlib

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.leaks.needles import Needles, leb128, postgres_numeric, sqlite_varint, swapped
from tests.leaks.search import CHUNK, Search
from wanjia.kernel.identity import check_character

STEM = "45627819850612101"
NUMBER = STEM + check_character(STEM)
WITH_X = next(stem + "X" for n in range(999) if check_character(stem := f"45627819850612{n:03d}") == "X")
PHONE, ACCOUNT = "13977881234", "6223123400001234"
OLD = NUMBER[:6] + NUMBER[8:17]
NEEDLES = Needles.of([NUMBER, WITH_X], [PHONE], [ACCOUNT])


def search():
    return Search(NEEDLES)


SHARED = search()


def found(content):
    before = SHARED.found
    SHARED.bytes("place", content, "scratch")
    return SHARED.found - before


def packed(number):
    return int(number[:17]) * 11 + (10 if number[17] in "Xx" else int(number[17]))


TEXTS = {
    "18": NUMBER,
    "x": WITH_X.lower(),
    "X": WITH_X,
    "stem": STEM,
    "15": OLD,
    "certificate 20": NUMBER + "43",
    "certificate 22": WITH_X + "43B1",
    "phone": PHONE,
    "account": ACCOUNT,
}
ENCODINGS = {
    "ascii": lambda text: text.encode(),
    "utf-16-le": lambda text: text.encode("utf-16-le"),
    "utf-16-be": lambda text: text.encode("utf-16-be"),
    "utf-32-le": lambda text: text.encode("utf-32-le"),
    "full width utf-8": lambda text: "".join(chr(ord(c) + 0xFEE0) for c in text).encode(),
    "full width gb18030": lambda text: "".join(chr(ord(c) + 0xFEE0) for c in text).encode("gb18030"),
    "hex": lambda text: text.encode().hex().encode(),
    "HEX": lambda text: text.encode().hex().upper().encode(),
    "hex of utf-16": lambda text: text.encode("utf-16-le").hex().encode(),
    "base64": lambda text: base64.b64encode(text.encode()),
    "base64, one off": lambda text: base64.b64encode(b"\xff" + text.encode()),
    "base64, two off": lambda text: base64.b64encode(b"\xff\xfe" + text.encode()),
    "base64 url": lambda text: base64.urlsafe_b64encode(b"\xfb\xef" + text.encode() + b"\xff\xff\xfe"),
    "base64 without padding": lambda text: base64.b64encode(text.encode()).rstrip(b"="),
    "base64 in lines": lambda text: base64.encodebytes(b"\0" * 50 + text.encode()),
    "gzip": lambda text: gzip.compress(text.encode()),
    "zlib": lambda text: zlib.compress(text.encode()),
    "zstd": lambda text: pa.Codec("zstd").compress(text.encode(), asbytes=True),
    "gzip in base64 in gzip": lambda text: gzip.compress(b" " + base64.b64encode(b"a" + text.encode())),
}
INTEGERS = {
    "int64 le": lambda value: value.to_bytes(8, "little"),
    "int64 be": lambda value: value.to_bytes(8, "big"),
    "sqlite varint": sqlite_varint,
    "leb128": leb128,
    "double le": lambda value: struct.pack("<d", value),
    "double be": lambda value: struct.pack(">d", value),
    "numeric": postgres_numeric,
    "hex of int64": lambda value: value.to_bytes(8, "big").hex().encode(),
    "base64 of int64": lambda value: base64.b64encode(b"..." + value.to_bytes(8, "little") + b"..."),
}
VALUES = {
    "id17": int(STEM),
    "id18": int(NUMBER),
    "packed": packed(NUMBER),
    "packed X": packed(WITH_X),
    "account": int(ACCOUNT),
    "phone": int(PHONE),
    "15": int(OLD),
}
SHORT = {("phone", "sqlite varint"), ("phone", "leb128"), ("phone", "numeric")}  # five bytes: chance finds them too

around = st.binary(max_size=40)


@pytest.mark.parametrize(("text", "encoding"), list(itertools.product(TEXTS, ENCODINGS)))
@settings(max_examples=6)
@given(before=around, behind=around)
def test_a_number_is_found_in_every_encoding_at_every_alignment(text, encoding, before, behind):
    content = ENCODINGS[encoding](TEXTS[text])
    if not encoding.startswith(("base64", "hex", "HEX")):
        assert found(before + content + behind)
    else:  # such text stands between other text
        assert found(before + b' "' + content + b'" ' + behind)


@pytest.mark.parametrize(("value", "encoding"), list(itertools.product(VALUES, INTEGERS)))
@settings(max_examples=6)
@given(before=around, behind=around)
def test_a_number_made_an_integer_is_found_at_every_alignment(value, encoding, before, behind):
    if (value, encoding) in SHORT:
        return
    content = INTEGERS[encoding](VALUES[value])
    if "64 of" in encoding or "hex" in encoding:
        content = b' "' + content + b'" '
    assert found(before + content + behind)


@pytest.mark.parametrize("text", [STEM, NUMBER, OLD, ACCOUNT])
@settings(max_examples=6)
@given(before=around, behind=around)
def test_packed_decimals_are_found_whichever_half_byte_they_begin_in(text, before, behind):
    for digits in {text, f"0{text}", f"{text}c", f"0{text}f", f"7{text}1", text + "0"}:
        if len(digits) % 2 == 0:
            assert found(before + bytes.fromhex(digits) + behind), digits
            assert found(before + swapped(bytes.fromhex(digits)) + behind), digits


def test_hex_that_begins_between_two_bytes_of_other_hex_is_found():
    assert found(b"abc" + NUMBER.encode().hex().encode() + b"0")
    assert found(b"0abc" + NUMBER.encode().hex().encode() + b"0")


def test_base64_inside_longer_base64_text_is_found_at_each_place():
    for before in range(8):
        content = base64.b64encode(b"\x80" * before + NUMBER.encode() + b"\x80" * 9)
        for cut in range(4):  # a reader may have begun in the middle
            lost = cut * 6 > before * 8  # the first digit's bits are no longer there
            assert lost or found(b" " + content[cut:] + b" "), (before, cut)


def test_it_is_found_where_two_chunks_of_a_large_file_meet():
    content = bytearray(CHUNK * 2 + 100)
    content[CHUNK - 9 : CHUNK + 9] = NUMBER.encode()
    assert found(bytes(content)) == 1


def test_a_table_in_sqlite_is_read_from_its_pages_its_log_and_what_was_deleted(tmp_path):
    path = tmp_path / "some.sqlite3"
    keeper = sqlite3.connect(path)
    keeper.executescript(
        "PRAGMA secure_delete=OFF; PRAGMA journal_mode=WAL;"
        "CREATE TABLE person (id INTEGER PRIMARY KEY, number, note TEXT); CREATE TABLE other (x);"
    )
    keeper.execute("INSERT INTO person VALUES (?, ?, ?)", (packed(NUMBER), int(NUMBER), "." * 9_000 + WITH_X))
    keeper.commit()
    log = search()
    log.file("log", path.with_name("some.sqlite3-wal"))
    keeper.execute("DROP TABLE person")
    keeper.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    keeper.close()
    pages = search()
    pages.file("free pages", path)

    for searching in (log, pages):
        written = {hit.written.rpartition(", ")[2] for hit in searching.hits}
        assert written >= {"SQLite varint", "int64 big-endian", "digits"}


def test_a_text_that_runs_over_two_pages_of_sqlite_is_found(tmp_path):
    keeper = sqlite3.connect(tmp_path / "long.sqlite3")
    keeper.executescript("PRAGMA page_size=512; CREATE TABLE note (text);")
    for length in range(900, 980):
        keeper.execute("INSERT INTO note VALUES (?)", ("." * length + NUMBER + "." * 400,))
    keeper.commit()
    keeper.close()

    searching = search()
    searching.file("database", tmp_path / "long.sqlite3")

    assert searching.counts["database"] >= 80


@pytest.mark.parametrize("dictionary", [True, False])
@pytest.mark.parametrize("compression", ["zstd", "snappy", "none", "gzip"])
def test_parquet_is_read_by_column_and_page(tmp_path, dictionary, compression):
    table = pa.table(
        {"text": ["a", NUMBER] * 50, "packed": [1, packed(NUMBER)] * 50, "number": [7.0, float(int(NUMBER))] * 50}
    )
    for column in table.column_names:
        path = tmp_path / f"{column}.parquet"
        pq.write_table(table.select([column]), path, compression=compression, use_dictionary=dictionary)
        searching = search()
        searching.file("lake", path)
        assert searching.counts["lake"], column


def test_the_pages_of_a_parquet_file_are_looked_through_even_when_its_footer_is_lost(tmp_path):
    path = tmp_path / "torn.parquet"
    values = [f"{n} {NUMBER}" for n in range(2_000)]
    pq.write_table(pa.table({"text": values}), path, compression="zstd", use_dictionary=False)
    path.write_bytes(path.read_bytes()[:-200])

    searching = search()
    searching.file("lake", path)

    assert any("zstd" in hit.source for hit in searching.hits)


def test_members_of_a_workbook_are_looked_through():
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("xl/sharedStrings.xml", f"<t>{NUMBER}</t>")
    searching = search()
    searching.bytes("export", out.getvalue(), "rejects.xlsx")

    assert searching.hits[0].source.startswith("rejects.xlsx › ")


def test_names_of_files_are_looked_through(tmp_path):
    (tmp_path / f"{NUMBER}.csv").touch()
    searching = search()
    searching.folder("files", tmp_path)

    assert searching.counts["files"] == 1


def test_chance_finds_nothing_in_megabytes_of_noise_and_text():
    chance = random.Random(1)
    needles = Needles.of(
        [body + check_character(body) for n in range(3_000) if (body := f"45627819{n % 90 + 10}0612{n % 900 + 100}")],
        [f"1397788{n:04d}" for n in range(1_000)],
        [f"62231234{n:08d}" for n in range(1_000)],
    )
    searching = Search(needles)
    searching.bytes("noise", chance.randbytes(8_000_000), "noise")
    searching.text("text", " ".join(str(chance.getrandbits(60)) for _ in range(200_000)))

    assert searching.hits == []


def test_needles_are_whole_numbers_only():
    with pytest.raises(ValueError, match="phone"):
        Needles.of([], ["1397788"])
