"""The senders' files of finished imports have an end, and what is told of it."""

import os
import time
from datetime import timedelta

import pytest
from django.test import Client
from django.urls import reverse

from tests.factories import accounts
from tests.factories import registry as factory
from tests.factories import sheets as made
from tests.factories.accounts import PASSWORD
from tests.factories.registry import BUILDER, COUNTY
from tests.factories.sheets import HOME_HEADER, MEMBER_HEADER, text, upload
from wanjia.audit.models import Opening
from wanjia.kernel import clock
from wanjia.reference.services import Notice, set_parameter
from wanjia.registry.choices import ImportMode, ImportStatus, SheetKind
from wanjia.registry.errors import SheetBroughtBefore, SheetEnded
from wanjia.registry.models import SheetFile, SheetImport
from wanjia.registry.services import sweep_sheets
from wanjia.registry.services.sheets import importing, keeping
from wanjia.scope.stores import lake
from wanjia.scope.system import system_viewer

pytestmark = pytest.mark.django_db

DAYS = 30  # as the parameter says from the start


@pytest.fixture(scope="module")
def settled(stands):
    county = factory.build()
    county.users["second"] = accounts.account("second", "county_office", COUNTY)
    return county


def brought(settled, *files, mode=ImportMode.NEW):
    row = importing.bring(viewer=settled.viewer("county"), brought=files, area=COUNTY, mode=mode)
    return importing.read_sheets(viewer=settled.viewer("county"), import_id=row.pk)


@pytest.fixture
def finished(settled):
    """One import taken in with two refused rows, one that could not be read, one cancelled, one still open."""
    county = made.county(6, every=3)
    files = [upload(text(county.homes, HOME_HEADER)), upload(text(county.members, MEMBER_HEADER))]
    done = importing.apply_sheets(viewer=settled.viewer("second"), import_id=brought(settled, *files).pk)
    unreadable = brought(settled, upload("户编号,屯\r\nH001,新屯\r\n"), mode=ImportMode.CORRECTION)
    assert unreadable.status == ImportStatus.UNREADABLE
    cancelled = brought(settled, upload("户编号,年度,屯\r\nH001,2020,新屯\r\n"), mode=ImportMode.CORRECTION)
    importing.cancel(viewer=settled.viewer("county"), import_id=cancelled.pk)
    standing = brought(settled, upload("户编号,年度,屯\r\nH002,2020,老屯\r\n"), mode=ImportMode.CORRECTION)
    return done, unreadable, cancelled, standing, files


def grown_old(home):
    """What lies among the sheets was put away two days ago by the file system's clock."""
    before = time.time() - 48 * 3600  # noqa: TID251 - the file system's clock is the machine's
    for path in (home / "lake" / "sheets").iterdir():
        os.utime(path, (before, before))


def addresses(*rows):
    files = SheetFile.objects.visible_to(BUILDER).filter(of__in=rows)
    return {file.raw for file in files} | {row.kept for row in rows if lake().exists(row.kept)}


def test_files_of_finished_imports_go_when_their_days_are_over(settled, finished, home):
    done, unreadable, cancelled, standing, _ = finished
    grown_old(home)
    with clock.frozen(clock.now() + timedelta(days=DAYS)):
        assert sweep_sheets() == 0  # it is the last day
    assert addresses(done, unreadable, cancelled, standing) == set(lake().list("sheets"))

    with clock.frozen(clock.now() + timedelta(days=DAYS + 1)):
        stays = addresses(standing)
        assert sweep_sheets() == 4 + 2  # files, and what was wrong with two of the sheets
        assert set(lake().list("sheets")) == stays
        assert sweep_sheets() == 0
    told = Opening.objects.visible_to(BUILDER).filter(act="registry.end_sheets")
    said = {row.payload["content"]["import"]: row.payload["content"] for row in told}
    assert said == {
        row.pk: {"import": row.pk, "files": 2 if row == done else 1, "days": DAYS}
        for row in (done, unreadable, cancelled)
    }
    assert {row.payload["actor"]["system"] for row in told} == {"registry.retention"}


def test_what_is_left_says_so_and_still_knows_the_file(settled, finished, home):
    done, *_, files = finished
    client = Client()
    client.post(reverse("accounts:sign_in"), {"username": settled.users["county"].username, "password": PASSWORD})
    rejects = f"{reverse('registry:rejected_rows', args=[done.pk])}?sheet=members"
    assert "加密保存至 2020-12-16，到期自动删除" in client.get(done.get_absolute_url()).content.decode()
    assert client.get(rejects).status_code == 200
    grown_old(home)
    with clock.frozen(clock.now() + timedelta(days=DAYS + 1)):
        sweep_sheets()
    shown = client.get(done.get_absolute_url()).content.decode()
    assert "已于 2020-12-17 按保存期限删除" in shown
    assert "下载问题表" not in shown
    assert client.get(rejects).status_code == 410
    with pytest.raises(SheetEnded):
        importing.reject_sheet(viewer=settled.viewer("county"), import_id=done.pk, kind=SheetKind.MEMBERS)
    with pytest.raises(SheetBroughtBefore):
        brought(settled, *files)


def test_the_days_are_policy(settled, finished):
    done, *_, standing, _ = finished
    assert keeping.kept_until(standing) is None
    notice = Notice(source="自治区办公室通知", valid_from=clock.today())
    set_parameter(system_viewer("reference.load"), name=keeping.DAYS, value="7", notice=notice)
    assert keeping.kept_until(done) == clock.today() + timedelta(days=7)
    with clock.frozen(clock.now() + timedelta(days=8)):
        assert keeping.end_sheets() == 4


def test_a_process_that_dies_before_the_file_goes_leaves_it_to_the_next_night(settled, finished, home, monkeypatch):
    grown_old(home)
    with clock.frozen(clock.now() + timedelta(days=DAYS + 1)):
        assert keeping.end_sheets() == 4
        assert len(lake().list("sheets")) == 4 + 2 + 2
        assert sweep_sheets() == 4 + 2


def test_files_that_belong_to_no_import_go_after_a_day(settled, home):
    with lake().publishing("sheets/file=nobodys"):
        pass
    assert sweep_sheets() == 0
    grown_old(home)
    assert sweep_sheets() == 1
    assert not SheetImport.objects.visible_to(BUILDER).exists()
