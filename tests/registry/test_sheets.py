"""The national sheets taken in: first registrations, corrections, and every line of them accounted for."""

import csv
import io

import pytest

from tests.factories import accounts
from tests.factories import registry as factory
from tests.factories import sheets as made
from tests.factories.accounts import client_for
from tests.factories.registry import BUILDER, COUNTY, TOWNSHIPS, VILLAGES
from tests.factories.sheets import HOME_HEADER, MEMBER_HEADER, text, upload
from wanjia.audit.models import Opening
from wanjia.registry import queries
from wanjia.registry.choices import ImportMode, ImportStatus, SheetKind
from wanjia.registry.errors import (
    ImportMovedOn,
    NothingToImport,
    PreviewOutdated,
    SecondPersonNeeded,
    SheetBroughtBefore,
)
from wanjia.registry.models import Change, Household, HouseholdYear, Person, PersonYear, SheetFile
from wanjia.registry.services import Edit, correct
from wanjia.registry.services.sheets import importing
from wanjia.scope.errors import NotAllowed, NotVisible

pytestmark = pytest.mark.django_db  # so that the module may be run alone

NEW, CORRECTION = ImportMode.NEW, ImportMode.CORRECTION


@pytest.fixture(scope="module")
def settled(stands):
    county = factory.build()
    county.users["second"] = accounts.account("second", "county_office", COUNTY)
    return county


def brought(settled, *files, who="county", area=COUNTY, mode=NEW, **terms):
    viewer = settled.viewer(who)
    row = importing.bring(viewer=viewer, brought=files, area=area, mode=mode, terms=importing.Terms(**terms))
    return importing.read_sheets(viewer=viewer, import_id=row.pk)


def applied(settled, row, who="second"):
    return importing.apply_sheets(viewer=settled.viewer(who), import_id=row.pk)


def both(county, encoding="gb18030"):
    return (
        upload(text(county.homes, HOME_HEADER, title="都安瑶族自治县户年度表"), "户.csv", encoding),
        upload(text(county.members, MEMBER_HEADER), "成员.csv", encoding),
    )


def counts(row):
    return {
        file.sheet: (file.accepted, file.known, file.rejected, file.non_data)
        for file in SheetFile.objects.visible_to(BUILDER).filter(of=row)
    }


def rejected(settled, row, kind=SheetKind.MEMBERS, who="county"):
    pieces = importing.reject_sheet(viewer=settled.viewer(who), import_id=row.pk, kind=kind)
    return list(csv.DictReader(io.StringIO(b"".join(pieces).decode("utf-8-sig"))))


def bare(cell):
    return cell.removeprefix("'")


def registered(row):
    return Person.objects.visible_to(BUILDER).filter(national_person_no=row["人口编号"]).first()


def test_a_county_with_planted_defects_is_registered_but_for_those(settled):
    county = made.county(100, every=2)
    assert len(set(county.planted.values())) >= 15

    row = brought(settled, *both(county))
    assert (row.status, row.year) == (ImportStatus.PREVIEWED, 2020)
    assert counts(row) == {
        "households": (100, 0, 0, 3),
        "members": (400 - len(county.planted), 0, len(county.planted), 2),
    }
    back = rejected(settled, row)
    assert {bare(each["人口编号"]) for each in back} == set(county.planted)
    for each in back:
        assert county.planted[bare(each["人口编号"])] in each["问题"], each
    assert Household.objects.visible_to(BUILDER).count() == 32  # nothing of it counts yet

    applied(settled, row)
    assert Household.objects.visible_to(BUILDER).count() == 132
    first = Household.objects.visible_to(BUILDER).get(national_household_no=county.homes[1]["户编号"])
    assert (first.village_code, first.member_count, first.identified_year) == (VILLAGES[1], 4, 2015)
    assert (first.main_cause, first.phone.clear(), first.poverty_status) == ("01", "13800138000", "0")
    year = HouseholdYear.objects.visible_to(BUILDER).get(household_no=first.pk, year=2020)
    assert (year.wage_income, year.business_income, year.cropland, year.distance_main_road) == (
        1_200_000,
        320_050,
        235,
        80,
    )
    assert (year.dangerous_house, year.water_safe, year.access_road, year.dibao_grant) == (False, True, "03", None)
    someone = registered(county.members[5])
    assert (someone.ethnicity, someone.sex, someone.id_valid) == ("13", "2", True)
    personal = PersonYear.objects.visible_to(BUILDER).get(person_no=someone.pk, year=2020)
    assert (personal.health, personal.work_months, personal.critical_illness_ins) == ("02,04", 6, True)


@pytest.mark.parametrize("whole", [True, False])
def test_put_right_and_sent_again_all_are_in(settled, whole):
    county = made.county(60, every=2)
    applied(settled, brought(settled, *both(county)))
    short = Household.objects.visible_to(BUILDER).get(national_household_no=county.homes[0]["户编号"])
    assert short.member_count == 3

    county.put_right()
    planted = [row for row in county.members if row["人口编号"] in county.planted]
    again = county.members if whole else planted
    homes = county.homes if whole else county.homes[:1]
    row = brought(
        settled,
        upload(text(homes, HOME_HEADER), encoding="utf-8-sig"),
        upload(text(again, MEMBER_HEADER), encoding="utf-16"),
    )
    assert counts(row)["members"] == (len(planted), len(again) - len(planted), 0, 2)
    applied(settled, row)

    assert all(registered(each) is not None for each in county.members)
    short.refresh_from_db()
    assert short.member_count == 4
    told = queries.history_of(settled.viewer("county"), short.pk)
    assert told[0].sentences == ["家庭人口数:3 → 4"]
    acts = Opening.objects.visible_to(BUILDER).filter(act="registry.join_members")
    assert acts.count() == 1


def test_the_same_file_twice_is_recognised(settled):
    county = made.county(2)
    files = both(county)
    row = brought(settled, *files)
    with pytest.raises(SheetBroughtBefore):
        brought(settled, *both(county))
    importing.cancel(viewer=settled.viewer("county"), import_id=row.pk)
    assert brought(settled, *both(county)).status == ImportStatus.PREVIEWED


def test_a_first_registration_waits_for_its_other_sheet(settled):
    homes, members = both(made.county(2))
    row = brought(settled, homes)
    assert row.status == ImportStatus.WAITING
    viewer = settled.viewer("county")
    importing.add(viewer=viewer, import_id=row.pk, brought=[members])
    assert importing.read_sheets(viewer=viewer, import_id=row.pk).status == ImportStatus.PREVIEWED


def test_what_the_sheet_does_not_say_its_sender_says(settled):
    county = made.county(2)
    header = HOME_HEADER[:53]  # the national header alone
    files = [upload(text(county.homes, header)), upload(text(county.members, MEMBER_HEADER))]
    row = brought(settled, *files)
    assert (row.status, row.refusal["code"]) == (ImportStatus.UNREADABLE, "registry.columns_needed")
    files = [upload(text(county.homes, header)), upload(text(county.members, MEMBER_HEADER))]
    row = brought(settled, *files, household_category="01", poverty_status="0", identified_year=2016)
    applied(settled, row)
    home = Household.objects.visible_to(BUILDER).get(national_household_no=county.homes[0]["户编号"])
    assert (home.household_category, home.poverty_status, home.identified_year) == ("01", "0", 2016)


def test_columns_in_any_order_under_any_name(settled):
    county = made.county(3)
    names = {
        "户编号": "AAC001", "人口编号": "aab001", "姓名": "AAB002", "证件号码": "公民身份\n号码", "出生日期": "*出生 日期",
        "与户主关系": "与户主的关系", "健康状况": "AAB017", "年度": "AAR040",
    }  # fmt: skip
    header = tuple(reversed(MEMBER_HEADER))
    members = text([{names.get(k, k): v for k, v in row.items()} for row in county.members],
                   (*(names.get(name, name) for name in header), "村医"))  # fmt: skip
    row = brought(settled, upload(text(county.homes, HOME_HEADER)), upload(members))
    assert counts(row)["members"][:3] == (12, 0, 0)
    unknown = [each["header"] for each in row.preview["sheets"]["members"]["columns"] if not each["field"]]
    assert unknown == ["村医"]


def test_a_number_with_look_alikes_is_read_where_the_check_character_fits(settled):
    county = made.county(1)
    right = county.members[1]["证件号码"]
    county.members[1]["证件号码"] = '="' + right.replace("0", "Ｏ", 1).lower() + '"'
    row = brought(settled, *both(county))
    told = row.preview["sheets"]["members"]["problems"]
    assert [each["problem"] for each in told] == ["id_repaired"]
    applied(settled, row)
    assert registered(county.members[1]).id_number.clear() == right


def test_places_that_cannot_be_told_and_rows_of_elsewhere_are_refused(settled):
    county = made.county(4)
    county.homes[0]["村"] = "没有的村"
    row = brought(settled, *both(county))
    assert counts(row) == {"households": (3, 0, 1, 3), "members": (12, 0, 4, 2)}
    assert "不能确定" in rejected(settled, row, SheetKind.HOUSEHOLDS)[0]["问题"]
    assert {each["问题"] for each in rejected(settled, row)} == {"所属户未通过校验"}


CHANGED = ("户编号", "年度", "工资性收入", "屯", "主要致贫原因", "联系电话", "脱贫标志")


def changes(rows):
    return upload(text([dict(zip(CHANGED, each, strict=True)) for each in rows], CHANGED))


def test_a_correction_changes_what_differs_and_nothing_else(settled):
    row = brought(
        settled,
        changes([
            ("H001", "2020", "13000", "弄王屯", "因残", "139 0013 9001", "未脱贫"),
            ("H002", "2020", "", "", "", "138****8000", "未脱贫"),
            ("H003", "2020", "", "新屯", "缺技术", "138****8001", ""),
            ("H099", "2020", "1", "", "", "", ""),
            ("H004", "2019", "1", "", "", "", ""),
        ]),
        mode=CORRECTION, year=2020,
    )  # fmt: skip
    assert counts(row) == {"households": (1, 1, 3, 2)}
    assert row.preview["changes"]["fields"] == {"wage_income": 1, "main_cause": 1, "phone": 1}
    assert {bare(each["户编号"]): each["问题"] for each in rejected(settled, row, SheetKind.HOUSEHOLDS)} == {
        "H003": "联系电话打了掩码，且与登记的号码不是同一个",
        "H099": "不在册，或不在本次导入的地区内",
        "H004": "年度与本次导入的年度不同",
    }
    problems = {(each["field"], each["problem"]) for each in row.preview["sheets"]["households"]["problems"]}
    assert ("poverty_status", "procedure") in problems

    waits = {who: importing.waiting_for(settled.viewer(who)) for who in ("county", "second", "township", "village")}
    assert waits == {"county": 0, "second": 1, "township": 0, "village": 0}
    client = client_for(settled.users["second"])
    assert "等我核对确认的表格导入 <b>1</b> 次" in client.get("/").content.decode()
    with pytest.raises(SecondPersonNeeded):
        applied(settled, row, who="county")
    row = applied(settled, row)
    assert importing.waiting_for(settled.viewer("second")) == 0
    home = settled.household(1)
    assert (home.main_cause, home.phone.clear(), home.poverty_status) == ("02", "13900139001", "1")
    told = Change.objects.visible_to(BUILDER).filter(event_id=row.event_id).exclude(old="", new="")
    assert {"main_cause", "wage_income"} <= set(told.values_list("field", flat=True))
    assert set(told.values_list("reason", flat=True)) == {f"表格更正（第 {row.pk} 次导入）"}
    assert Opening.objects.visible_to(BUILDER).filter(act="registry.correct").count() == 1
    with pytest.raises(ImportMovedOn):
        applied(settled, row)


def test_members_are_corrected_by_their_number(settled):
    header = ("人口编号", "姓名", "与户主关系", "健康状况", "证件号码")
    rows = [
        dict(zip(header, ("P0011", "韦新名", "配偶", "残疾", settled.person(2).id_number.clear()), strict=True)),
        dict(zip(header, ("P0010", "韦大一", "配偶", "", ""), strict=True)),
        dict(zip(header, ("P0012", "", "之子", "健康、残疾", ""), strict=True)),
    ]
    row = brought(settled, upload(text(rows, header)), mode=CORRECTION, year=2020)
    assert counts(row) == {"members": (1, 0, 2, 2)}
    applied(settled, row)
    assert settled.person(2).name == "韦新名"
    assert PersonYear.objects.visible_to(BUILDER).get(person_no=2, year=2020).health == "04"


def test_what_changed_since_the_preview_is_shown_again(settled):
    row = brought(settled, changes([("H001", "2020", "", "", "因残", "", "")]), mode=CORRECTION)
    correct(viewer=settled.viewer("county"), edits=[Edit("main_cause", "02", household_no=1)], reason="入户核实后更正")
    with pytest.raises(PreviewOutdated):
        applied(settled, row)
    row.refresh_from_db()
    assert (row.status, row.preview["changes"]["values"]) == (ImportStatus.PREVIEWED, 0)
    with pytest.raises(NothingToImport):
        applied(settled, row)


def test_a_township_corrects_its_own_households_only(settled):
    row = brought(
        settled, changes([("H001", "2020", "", "", "因残", "", ""), ("H020", "2020", "", "", "因残", "", "")]),
        who="verifier", area=TOWNSHIPS[0], mode=CORRECTION,
    )  # fmt: skip
    assert counts(row) == {"households": (1, 0, 1, 2)}
    back = rejected(settled, row, SheetKind.HOUSEHOLDS, "verifier")
    assert [(bare(each["户编号"]), each["问题"]) for each in back] == [("H020", "不在册，或不在本次导入的地区内")]
    with pytest.raises(NotVisible):
        queries.import_for(settled.viewer("next_township"), row.pk)
    with pytest.raises(NotAllowed):
        brought(settled, *both(made.county(1)), who="verifier", area=TOWNSHIPS[0])
    with pytest.raises(NotAllowed):
        brought(settled, changes([("H001", "2020", "", "", "", "", "")]), who="verifier", area=COUNTY, mode=CORRECTION)


def test_no_clear_number_is_in_any_file_of_the_installation(settled, home):
    county = made.county(20, every=2)
    row = brought(settled, *both(county))
    rejected(settled, row)
    applied(settled, row)
    number = county.members[1]["证件号码"].encode()
    for path in home.rglob("*"):
        if path.is_file():
            assert number not in path.read_bytes(), path
