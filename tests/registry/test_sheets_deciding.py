"""Who confirms what a sheet changes, and what becomes of an import two people move at once."""

import datetime as dt

import pytest

from tests.factories import accounts
from tests.factories import registry as factory
from tests.factories.registry import BUILDER, COUNTY, TOWNSHIPS
from tests.factories.sheets import text, upload
from wanjia.accounts import deputies
from wanjia.kernel import clock
from wanjia.reference.services import Notice, set_parameter
from wanjia.registry.choices import ImportMode, ImportStatus
from wanjia.registry.errors import ImportMovedOn, SecondPersonNeeded
from wanjia.registry.models import Change, SheetFile, SheetImport
from wanjia.registry.services import Edit, correct
from wanjia.registry.services.sheets import importing
from wanjia.scope.system import system_viewer

pytestmark = pytest.mark.django_db  # so that the module may be run alone


@pytest.fixture(scope="module")
def settled(stands):
    county = factory.build()
    for name in ("second", "third"):
        county.users[name] = accounts.account(name, "county_office", COUNTY)
    return county


def sheet_of(**cells):
    return upload(text([cells], tuple(cells)))


def homes(**said):
    return sheet_of(**{"户编号": "H001", "年度": "2020", "主要致贫原因": "因残"} | said)


def members(**said):
    return sheet_of(**{"人口编号": "P0011", "年度": "2020", "健康状况": "残疾"} | said)


def brought(settled, *files, who="county", area=COUNTY):
    viewer = settled.viewer(who)
    row = importing.bring(viewer=viewer, brought=files, area=area, mode=ImportMode.CORRECTION)
    return importing.read_sheets(viewer=viewer, import_id=row.pk)


def added(settled, row, *files, who):
    importing.add(viewer=settled.viewer(who), import_id=row.pk, brought=files)
    return importing.read_sheets(viewer=settled.viewer(who), import_id=row.pk)


def applied(settled, row, who):
    return importing.apply_sheets(viewer=settled.viewer(who), import_id=row.pk)


def test_who_adds_the_other_sheet_does_not_confirm_it_either(settled):
    row = brought(settled, homes(), who="verifier", area=TOWNSHIPS[0])
    row = added(settled, row, members(), who="county")
    files = SheetFile.objects.visible_to(BUILDER).filter(of=row)
    assert dict(files.values_list("sheet", "brought_by")) == {
        "households": settled.users["verifier"].pk,
        "members": settled.users["county"].pk,
    }
    assert importing.waiting_for(settled.viewer("county")) == 0
    for who in (importing.apply_sheets, importing.apply_later):
        with pytest.raises(SecondPersonNeeded):
            who(viewer=settled.viewer("county"), import_id=row.pk)
    assert settled.household(1).main_cause != "02"
    assert (
        not Change.objects.visible_to(BUILDER).filter(field__in=("main_cause", "health"), new__in=("02", "04")).exists()
    )
    assert importing.waiting_for(settled.viewer("second")) == 1
    assert applied(settled, row, "second").status == ImportStatus.DONE


@pytest.mark.parametrize("principal", ["county", "second"])
def test_a_deputy_and_his_principal_are_one(settled, principal):
    deputy = {"county": "second", "second": "county"}[principal]
    deputies.name_deputy(
        viewer=settled.viewer(principal), deputy_id=settled.users[deputy].pk, area_code=COUNTY,
        valid_from=clock.today(), valid_to=clock.today() + dt.timedelta(days=3), reason="年休假",
    )  # fmt: skip
    row = brought(settled, homes())
    with pytest.raises(SecondPersonNeeded):
        applied(settled, row, "second")
    assert applied(settled, row, "third").status == ImportStatus.DONE


def before(monkeypatch, name, act):
    """Have somebody do `act` in the moment before the import does what `name` is."""
    done = getattr(importing, name)

    def later(*args, **kwargs):
        monkeypatch.setattr(importing, name, done)
        act()
        return done(*args, **kwargs)

    monkeypatch.setattr(importing, name, later)


def test_an_import_cancelled_while_it_is_read_stays_cancelled(settled, monkeypatch):
    viewer = settled.viewer("county")
    row = importing.bring(viewer=viewer, brought=[homes()], area=COUNTY, mode=ImportMode.CORRECTION)
    before(monkeypatch, "_keep_problems", lambda: importing.cancel(viewer=viewer, import_id=row.pk))
    assert importing.read_sheets(viewer=viewer, import_id=row.pk).status == ImportStatus.CANCELLED
    row = SheetImport.objects.get_visible(viewer, pk=row.pk)
    assert (row.status, row.preview) == (ImportStatus.CANCELLED, {})
    assert brought(settled, homes()).status == ImportStatus.PREVIEWED  # the same file may come again


def test_a_cancelled_import_is_not_found_unreadable(settled, monkeypatch):
    viewer = settled.viewer("county")
    unsaid = upload(text([{"户编号": "H001", "主要致贫原因": "因残"}], ("户编号", "主要致贫原因")))
    row = importing.bring(viewer=viewer, brought=[unsaid], area=COUNTY, mode=ImportMode.CORRECTION)
    before(monkeypatch, "_outcome", lambda: importing.cancel(viewer=viewer, import_id=row.pk))
    assert importing.read_sheets(viewer=viewer, import_id=row.pk).status == ImportStatus.CANCELLED


def test_cancelled_or_applied_but_not_both(settled, monkeypatch):
    row = brought(settled, homes())
    cancel = importing.cancel
    before(monkeypatch, "_finishing", lambda: cancel(viewer=settled.viewer("county"), import_id=row.pk))
    with pytest.raises(ImportMovedOn):
        applied(settled, row, "second")
    row.refresh_from_db()
    assert row.status == ImportStatus.CANCELLED
    assert settled.household(1).main_cause != "02"

    row = brought(settled, homes())
    applied(settled, row, "second")
    with pytest.raises(ImportMovedOn):
        cancel(viewer=settled.viewer("county"), import_id=row.pk)
    row.refresh_from_db()
    assert row.status == ImportStatus.DONE


def test_a_sheet_added_while_the_other_is_taken_in_waits_for_its_own_preview(settled, monkeypatch):
    row = brought(settled, homes())
    before(monkeypatch, "_finishing", lambda: added(settled, row, members(), who="county"))
    with pytest.raises(ImportMovedOn):
        applied(settled, row, "second")
    row.refresh_from_db()
    assert (row.status, row.preview["changes"]["values"]) == (ImportStatus.PREVIEWED, 2)


def test_a_preview_made_anew_does_not_bring_a_cancelled_import_back(settled, monkeypatch):
    row = brought(settled, homes())
    county = settled.viewer("county")
    correct(viewer=county, edits=[Edit("main_cause", "03", household_no=1)], reason="入户核实后更正")
    before(monkeypatch, "_keep_problems", lambda: importing.cancel(viewer=county, import_id=row.pk))
    with pytest.raises(ImportMovedOn):
        applied(settled, row, "second")
    row.refresh_from_db()
    assert row.status == ImportStatus.CANCELLED


def test_the_strictest_township_says_whether_somebody_else_looks(settled):
    notice = Notice("县办公室通知", clock.today(), TOWNSHIPS[0])
    set_parameter(system_viewer("reference.load"), name="registry.review.standing", value="0", notice=notice)
    mild = brought(settled, homes())
    assert not mild.preview["changes"]["reviewed"]
    rows = [{"户编号": number, "年度": "2020", "主要致贫原因": "因灾"} for number in ("H001", "H020")]
    strict = brought(settled, upload(text(rows, tuple(rows[0]))))
    assert set(strict.preview["changes"]["areas"]) == set(TOWNSHIPS[:2])
    with pytest.raises(SecondPersonNeeded):
        applied(settled, strict, "county")
    assert applied(settled, mild, "county").status == ImportStatus.DONE
