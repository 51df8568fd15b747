"""What a department may hand in by mistake or on purpose: told clearly, cheaply, and nothing else suffers."""

import subprocess
import sys
from pathlib import Path

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from tests.factories.accounts import account, client_for
from tests.hostile.departments import FILES, HEAD, PACKED, TEXTS, nested_bomb, zip_bomb
from wanjia.jobs.worker import run_pending
from wanjia.kernel.errors import Refusal
from wanjia.reference.services import load_reference
from wanjia.scope.stores import lake
from wanjia.scope.system import system_viewer
from wanjia.sources import queries, services
from wanjia.sources.errors import FileUnreadable
from wanjia.sources.models import Batch

pytestmark = pytest.mark.one_database

ROOT = Path(__file__).parents[2]
OFFICER = system_viewer("cli.intake")


def answer_to(file, path):
    """The code a file is answered with, its refusal if there is one, and the batch it left."""
    with path.open("wb") as out:
        out.writelines(file.parts())
    try:
        return "", None, services.receive(viewer=OFFICER, path=path)
    except FileUnreadable as refused:
        return refused.values["reason"], refused, queries.batch_for(OFFICER, refused.values["batch"])
    except Refusal as refused:
        return refused.code, refused, None


@pytest.mark.django_db
def test_every_hostile_file_is_read_or_refused_with_its_cure(tmp_path):
    load_reference()
    for file in FILES:
        before = set(lake().list())
        code, refused, batch = answer_to(file, tmp_path / "file")
        assert code == file.code, file.name
        if refused is not None:
            what, cure = refused.sentences("zh")
            assert "没有" in what or "无法读取" in what, file.name
            assert file.cure in cure, (file.name, cure)
            assert all(refused.sentences("en")), file.name
        if batch is None:
            assert set(lake().list()) == before, file.name  # refused at the door: nothing is kept
        elif code:
            assert not lake().exists(batch.typed), file.name  # not one row of it
        else:
            assert batch.accepted + batch.rejected + batch.non_data == batch.lines, file.name
            again = Batch.objects.visible_to(OFFICER).get(pk=batch.pk)  # what it holds may be kept by the database
            assert "\0" not in str(again.preview), file.name


@pytest.mark.django_db(transaction=True)
def test_the_upload_page_refuses_what_is_no_table_and_goes_on_working(home):
    load_reference()
    officer = client_for(account("traffic", "department_officer", "45", relation="own_department", department="gongan"))
    for file in PACKED:
        content = b"".join(file.parts())
        told = officer.post(
            "/sources/upload/", {"file": SimpleUploadedFile("机动车.csv", content), "dataset": "", "area": "45"}
        )
        page = told.content.decode()
        assert told.status_code in (400, 415, 422), (file.name, told.status_code)
        assert any(word in page for word in ("CSV", "重新导出", "密码", "数值")), file.name
        assert list((home / "spool").glob("*")) == [], file.name
        assert officer.get("/sources/").status_code == 200, file.name
    assert lake().list() == []
    good = SimpleUploadedFile("机动车.csv", HEAD)
    told = officer.post("/sources/upload/", {"file": good, "dataset": "", "area": "45"})
    assert told.status_code == 302
    run_pending()
    assert "可采纳" in officer.get(told["Location"]).content.decode()


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("name", [file.name for file in TEXTS if "header" in file.name or "NUL" in file.name])
def test_the_page_of_a_batch_shows_odd_contents_harmlessly(name):
    load_reference()
    (file,) = [file for file in TEXTS if file.name == name]
    officer = client_for(account("traffic", "department_officer", "45", relation="own_department", department="gongan"))
    upload = SimpleUploadedFile('<img src=x>"\u202egpj.csv', b"".join(file.parts()))
    told = officer.post("/sources/upload/", {"file": upload, "dataset": "", "area": "45"})
    if told.status_code == 302:
        run_pending()
        page = officer.get(told["Location"])
        assert page.status_code == 200
        assert not {"\0", "\u202e", "\x01"} & set(page.content.decode())
        assert "<img" not in page.content.decode()
    else:
        assert told.status_code in (400, 415, 422)


@pytest.mark.fault
@pytest.mark.long
@pytest.mark.slow
@pytest.mark.skipif(
    not Path("/proc/self/clear_refs").exists(), reason="only Linux tells a process's peak since a moment"
)
def test_no_file_makes_a_process_grow(tmp_path):
    """Each file by itself in one real process, the long ones at full length: 200 MB in a line, 12 million line ends."""
    told = subprocess.run(
        [sys.executable, "-m", "tests.hostile.growth", str(tmp_path)],
        cwd=ROOT, capture_output=True, text=True, timeout=900, check=False,
    )  # fmt: skip
    assert told.returncode == 0, told.stderr[-2000:]
    grown = {name: int(megabytes) for megabytes, name in (line.split(" ", 1) for line in told.stdout.splitlines())}
    assert len(grown) >= len(FILES)
    child = grown.pop("the largest child process")
    assert child < 256
    assert {name: megabytes for name, megabytes in grown.items() if megabytes >= 64} == {}
    sys.stdout.write(
        f"\n{len(grown)} hostile files; the most a process grew by: {max(grown.values())} MB; "
        f"the child that opens workbooks had at most {child} MB\n"
    )


def test_the_bombs_are_bombs():
    import io
    import zipfile

    bomb = zip_bomb()
    assert len(bomb) < 400_000
    with zipfile.ZipFile(io.BytesIO(bomb)) as archive:
        assert sum(entry.file_size for entry in archive.infolist()) > 300_000_000
    assert len(nested_bomb(2)) < 200_000
