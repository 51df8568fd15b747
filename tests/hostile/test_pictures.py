"""Photographs that are more than photographs: only the picture is kept, and what is served runs nothing."""

import io
from pathlib import Path

import pytest
from django.db import transaction
from PIL import Image

from tests.files.test_rules import TRAVERSALS
from tests.files.test_uploads import OFFICER, VILLAGE, AsViewer, caught, kept, send, site  # noqa: F401 - site is a fixture
from tests.hostile.pictures import MARKERS, NO_PICTURES, SPOILED, TWO_FACED
from wanjia.files import services
from wanjia.files.errors import TooManyPixels, UnreadablePicture, WrongType
from wanjia.files.photos import prepare
from wanjia.files.purposes import purpose_named
from wanjia.files.uploads import sealed_from


@pytest.mark.django_db
@pytest.mark.filterwarnings("ignore::UserWarning")  # Pillow on what it finds damaged
def test_of_a_picture_with_two_faces_only_the_picture_is_kept_and_served_so_that_nothing_runs(site):  # noqa: F811
    for name, content in TWO_FACED.items():
        stored = kept(content, name="照片.html")
        held = b"".join(services.contents(stored))
        assert [marker for marker in MARKERS if marker in held] == [], name
        image = Image.open(io.BytesIO(held))
        image.load()
        assert (image.format, getattr(image, "n_frames", 1), dict(image.getexif())) == ("JPEG", 1, {}), name
        assert not set(image.info) - {
            "jfif",
            "jfif_version",
            "jfif_unit",
            "jfif_density",
            "progressive",
            "progression",
        }, name
        answer = site.get(f"/files/{stored.pk}/")
        assert answer["Content-Type"] == "image/jpeg", name
        assert answer["X-Content-Type-Options"] == "nosniff", name
        assert answer["Content-Security-Policy"].startswith("sandbox; default-src 'none'"), name
        assert ".html" not in answer["Content-Disposition"], name


def test_what_only_calls_itself_a_picture_is_refused_by_its_first_bytes(site, home):  # noqa: F811
    for name, content in NO_PICTURES.items():
        caught.clear()
        assert send(site, "/evidence/", content, "照片.jpg").status_code == 200, name
        assert isinstance(caught["refusal"], WrongType), name
        assert "JPEG" in caught["refusal"].sentences("zh")[1], name
        assert list((home / "spool").glob("*")) == [], name


def test_the_refusal_names_what_it_found():
    told = {}
    for name in ("gif", "tiff", "heic", "zip", "svg", "program"):
        with pytest.raises(WrongType) as refused:
            sealed_from(NO_PICTURES[name], "x.jpg", "evidence")
        told[name] = refused.value.values["found"]
    assert told == {"gif": "GIF", "tiff": "TIFF", "heic": "HEIC", "zip": "ZIP", "svg": "HTML / XML", "program": "EXE"}


@pytest.mark.skipif(
    not Path("/proc/self/clear_refs").exists(), reason="only Linux tells a process's peak since a moment"
)
@pytest.mark.filterwarnings("ignore::UserWarning")
def test_a_spoiled_or_enormous_picture_is_refused_and_costs_no_memory():
    purpose = purpose_named("evidence")
    for name, content in SPOILED.items():
        Path("/proc/self/clear_refs").write_text("5", "ascii")
        before = _kilobytes("VmRSS")
        with pytest.raises((TooManyPixels, UnreadablePicture)) as refused:
            prepare(content, purpose.photo, purpose.max_pixels)
        assert (_kilobytes("VmHWM") - before) // 1024 < 64, name
        assert all(refused.value.sentences("zh")), name


def _kilobytes(what):
    lines = Path("/proc/self/status").read_text("ascii").splitlines()
    return int(next(line for line in lines if line.startswith(what)).split()[1])


def beside(home):
    return {path for path in home.parent.rglob("*") if path != home and home not in path.parents}


def named(site, name):  # noqa: F811
    """Hand in a file under a name no browser would write."""
    disposition = b'Content-Disposition: form-data; name="photo"; filename="' + name.encode("utf-8", "ignore") + b'"'
    body = b"--B\r\n" + disposition + b"\r\nContent-Type: text/csv\r\n\r\na,b\r\n1,2\r\n\r\n--B--\r\n"
    return site.post("/department/", body, content_type="multipart/form-data; boundary=B")


@pytest.mark.django_db
def test_no_name_of_a_file_reaches_the_disk_or_the_answer(site, home):  # noqa: F811
    """Through the parser and the store: the folder holds contents under their keys, the header one clean name."""
    outside = beside(home)
    for raw in TRAVERSALS:
        assert named(site, raw).status_code in (200, 400), raw
        with transaction.atomic():
            stored = kept(b"a,b\r\n1,2\r\n", purpose="department_file", name=raw)
        shown = site.get(f"/files/{stored.pk}/")
        header = shown["Content-Disposition"]
        assert header.startswith("attachment"), raw
        assert not set("\r\n\0/\\\u202e") & set(header), (raw, header)
        assert b"".join(shown.streaming_content) == b"a,b\r\n1,2\r\n"
    files = {path.name for path in (home / "files").rglob("*") if path.is_file()}
    assert files == {stored.content_key}
    assert beside(home) == outside
