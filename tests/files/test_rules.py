import pathlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.files.pictures import CSV, PDF, jpeg, picture
from wanjia.files.rules import LONGEST, clean_name
from wanjia.files.sniffing import kind_of

TRAVERSALS = [
    "../etc/passwd", "../../../../etc/shadow", "..\\..\\windows\\system32\\config", "....//....//etc/passwd",
    "..%2f..%2fetc%2fpasswd", "%2e%2e%2fetc", "%252e%252e%252f", "..%c0%af..%c0%afetc", "..%5c..%5cboot.ini",
    "/etc/passwd", "//server/share/x", "\\\\server\\share\\x", "C:\\windows\\win.ini", "C:evil", "file:///etc/passwd",
    "a/../../b.jpg", "a\\..\\..\\b.jpg", "x.jpg/..", "x.jpg\\..", "./x.jpg", ".htaccess", ".ssh/authorized_keys",
    "..", ".", "...", "....", " .. ", "..\x00.jpg", "x.php\x00.jpg", "x\x00/../../y", "x.jpg\n", "x\r\nSet-Cookie: a=b",
    "x\x1b[31m.jpg", "x\x7f.jpg", "\u202egpj.exe", "x\u202ecod.exe", "\u200bx.jpg", "\ufeffx.jpg", "\u2066x\u2069",
    "..／..／etc", "..＼..＼x", "..∕..∕x", "..⁄x", "．．／x", "‥/x", "CON", "con.jpg", "NUL.txt", "COM1", "lpt9.pdf",
    "x:stream", "x.jpg::$DATA", "a|b", "a<b>.jpg", "a*b?.jpg", '"quoted".jpg', "'; rm -rf /;.jpg", "$(reboot).jpg",
    "`id`.jpg", "{{7*7}}.jpg", "${jndi:ldap://x}.jpg", "<script>.jpg", "", " ", "\t", "名" * 300, "x" * 5000, "🏠" * 200,
    "\ud800.jpg",
]  # fmt: skip


def test_there_are_at_least_sixty_names_that_want_out():
    assert len(TRAVERSALS) >= 60


@pytest.mark.parametrize("raw", TRAVERSALS, ids=range(len(TRAVERSALS)))
def test_no_name_leads_anywhere(raw, tmp_path):
    name = clean_name(raw, ".jpg")
    assert name.endswith(".jpg")
    assert len(name.encode()) <= LONGEST
    assert not set(name) & set('/\\\0\r\n:*?"<>|%;&$`{}\u202e\u2066\u200b')
    assert ".." not in name
    assert not name.startswith((".", " "))
    assert name.isprintable()
    assert name.split(".")[0].lower() not in {"con", "nul", "com1", "lpt9"}
    folder = tmp_path / "downloads"
    folder.mkdir()
    target = folder / name
    target.write_bytes(b"x")
    assert target.resolve().parent == folder.resolve()
    assert list(folder.iterdir()) == [target]


@given(st.text(max_size=200))
def test_a_cleaned_name_is_clean(raw):
    name = clean_name(raw, ".pdf")
    assert pathlib.PurePosixPath(name).name == pathlib.PureWindowsPath(name).name == name
    assert clean_name(name, ".pdf") == name


@pytest.mark.parametrize(
    ("raw", "cleaned"),
    [
        ("都安机动车 2020-11.csv", "都安机动车 2020-11.csv"),
        ("C:\\文件\\机动车.CSV", "机动车.csv"),
        ("机动车.exe", "机动车.csv"),
        ("../../", "文件.csv"),
    ],
)
def test_an_honest_name_stays_readable(raw, cleaned):
    assert clean_name(raw, ".csv") == cleaned


@pytest.mark.parametrize(
    ("head", "kind"),
    [
        (jpeg(8, 8), "jpeg"),
        (picture("PNG"), "png"),
        (picture("WEBP"), "webp"),
        (PDF, "pdf"),
        (CSV, "csv"),
        ("\ufeff姓名,号码\r\n".encode(), "csv"),
        ("姓名\t号码\r\n".encode("utf-16"), "csv"),
        (b"PK\x03\x04" + b"\0" * 26 + b"[Content_Types].xml", "xlsx"),
        (b"PK\x03\x04" + b"\0" * 26 + b"../../etc/passwd", None),
        (b"<html><script>alert(1)</script>", None),
        (b"  <svg onload=alert(1)>", None),
        (b"\n%PDF-1.7", "csv"),
        (b"MZ\x90\0", None),
        (b"\x7fELF\x02", None),
        (b"#!/bin/sh\n", None),
        (b"GIF89a\x01\0", None),
        (b"\0\0\0\0", None),
        (b"", None),
        (b"  \r\n ", None),
    ],
)
def test_the_first_bytes_say_what_a_file_is(head, kind):
    assert kind_of(head) == kind


def test_a_head_cut_inside_a_character_is_still_text():
    text = ("户" * 3000).encode("gb18030")
    assert kind_of(text[:4096]) == kind_of(b"," + text[:4095]) == "csv"
