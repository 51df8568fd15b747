"""Somebody whose retention is over is erased: nothing of him is left in a byte of the database or the lake."""

import json
from datetime import date
from pathlib import Path

import pytest
from django.conf import settings
from django.db import connection
from django.test import Client
from django.urls import reverse

from tests.factories import accounts as people
from tests.factories import registry as factory
from tests.factories.accounts import PASSWORD
from wanjia.accounts.deputies import name_deputy
from wanjia.audit.models import Opening
from wanjia.audit.queries import verify_event
from wanjia.casework.services import CaseSpec, SubjectSpec, open_cases
from wanjia.files.uploads import sealed_from
from wanjia.jobs.models import Job
from wanjia.kernel import clock
from wanjia.registry import queries, sealed
from wanjia.registry.choices import AsOf, ErasureState, ImportMode
from wanjia.registry.errors import (
    ErasureAsked,
    ErasureInTheWay,
    ErasureOver,
    NotYourErasure,
    PersonErased,
    RetentionNotOver,
    SheetEnded,
    StillRegistered,
)
from wanjia.registry.models import (
    Change,
    ChangeRequest,
    Erasure,
    Household,
    NameToken,
    Person,
    ReportingYear,
)
from wanjia.registry.photos.services import photos_of
from wanjia.registry.requests.services import submit
from wanjia.registry.rights import erasing, forgetting
from wanjia.registry.rights.policy import Kept, kept, years_after
from wanjia.registry.rights.queries import due_page, held_about
from wanjia.registry.services import (
    Edit,
    Leaving,
    checks_of,
    correct,
    correct_sealed,
    load_registry,
    merge_person,
    publish_snapshot,
    remove_household,
    remove_members,
    reveal,
    seal_year,
)
from wanjia.registry.services.sheets import importing
from wanjia.scope.errors import NotVisible
from wanjia.scope.stores import lake

EYE = factory.BUILDER
NAME, FORMER, PHONE, OTHER_PHONE = "覃罕见", "覃稀奇", "13907719876", "13907714321"
DISEASE, EMPLOYER = "罕见病甲", "稀奇电子厂"
VILLAGE = factory.VILLAGES[0]
NUMBER = factory.number(date(1951, 2, 3), 377, male=True)
LEFT = date(2014, 5, 6)  # the tests' clock stands in November 2020


@pytest.fixture
def county(db):
    return factory.build()


@pytest.fixture
def someone(county):
    """Somebody who left six years ago, of a household whose others are there."""
    return _register("H901", [_leaver("H901")])


def _leaver(household, place=4, **facts):
    return factory.person_row(
        household, place, name=FORMER, id_number=NUMBER, birth_date=date(1951, 2, 3), phone=PHONE, relation="11",
        member_status="3", joined_on=date(2010, 1, 1), left_on=LEFT, change_reason="",
    ) | facts  # fmt: skip


def _register(household, more, years=(2019,)):
    home, members = factory.family(household, VILLAGE)
    facts = [
        {
            "national_person_no": one["national_person_no"], "year": year, "disease_name": DISEASE, "employer": EMPLOYER,
            "health": "03",
        }
        for one in more
        for year in years
    ]  # fmt: skip
    yearly = [
        {"national_household_no": household, "year": year, "poverty_status": "1", "member_count": 3, "wage_income": 100}
        for year in years
    ]
    load_registry(
        viewer=EYE,
        batch=factory.batch([home], [*members, *more], person_years=facts, household_years=yearly),
        year=factory.YEAR,
    )
    return Person.objects.visible_to(EYE).get(national_person_no=more[0]["national_person_no"])


def _seal(year):
    found = checks_of(EYE, year)
    return seal_year(viewer=EYE, year=year, confirmed={one.code: one.count for one in found})


def _erase(county, person_no):
    row = erasing.ask(viewer=county.viewer("county"), person_no=person_no, reason="留存期已满，依法删除")
    return erasing.approve(viewer=county.viewer("manager"), erasure_id=row.pk)


def _everything_lived(county, person):
    """What happens to a record over the years: corrected, looked at, sealed, compared against, imported, named in texts."""
    viewer = county.viewer("county")
    home = person.household_no
    edits = [
        Edit("name", NAME, person_no=person.pk),
        Edit("member_phone", OTHER_PHONE, person_no=person.pk),
        Edit("disease_name", f"{DISEASE}乙", person_no=person.pk),
    ]
    correct(viewer=viewer, edits=edits, reason=f"{FORMER}本人申请更正", case_no=None)
    together = [Edit("hamlet", "下屯", household_no=home), Edit("ethnicity", "01", person_no=person.pk)]
    correct(viewer=viewer, edits=together, reason=f"{NAME}一户核对", case_no=None)
    correct(
        viewer=viewer, edits=[Edit("cause_note", f"{NAME}患病", household_no=home)], reason="补充说明", case_no=None
    )
    submit(
        viewer=county.viewer("village"), household_no=home, reason=f"{NAME}迁出后核对",
        edits=[Edit("main_cause", "02", household_no=home)],
    )  # fmt: skip
    reveal(viewer=viewer, field="id_number", reason="核对证件原件", person_no=person.pk)
    _bring(viewer, f"人口编号,姓名,证件号码,联系电话\nP9014,{NAME},{NUMBER},{PHONE}\n", "成员.csv")
    for year in [*ReportingYear.objects.exclude(state="sealed").order_by("year")][:-1]:
        _seal(year.year)
    year = ReportingYear.objects.get(year=2019)
    corrected = [Edit("employer", f"{EMPLOYER}二", person_no=person.pk), Edit("health", "02", person_no=person.pk)]
    correct_sealed(viewer=viewer, year=2019, edits=corrected, reason="年报核对后更正")
    publish_snapshot(viewer=EYE)
    return year


def _bring(viewer, text, name):
    file = sealed_from(text.encode(), name, "registry_sheet")
    row = importing.bring(
        viewer=viewer, brought=[file], area=factory.COUNTY, mode=ImportMode.CORRECTION,
        terms=importing.Terms(year=factory.YEAR),
    )  # fmt: skip
    importing.read_sheets(viewer=viewer, import_id=row.pk)
    importing.cancel(viewer=viewer, import_id=row.pk)
    return row


def _figures(county):
    viewer = county.viewer("province")
    return {
        year.year: (queries.counts_of_year(viewer, year), year.households, year.persons)
        for year in ReportingYear.objects.filter(state="sealed")
    }


def _bytes_of_the_lake():
    for path in sorted(Path(settings.WANJIA_HOME, "lake").rglob("*")):
        if path.is_file():
            yield path, path.read_bytes()


def _needles():
    plain = (NAME, FORMER, NUMBER, PHONE, OTHER_PHONE, DISEASE, EMPLOYER)
    for text in plain:
        yield text, text.encode()
        yield text, text.encode("utf-16-le")
        escaped = json.dumps(text)[1:-1].encode()
        if escaped != text.encode():
            yield text, escaped


def _texts_in_parquet():
    """Every text of every Parquet file, whatever it is compressed with."""
    import pyarrow.parquet as pq

    for path in sorted(Path(settings.WANJIA_HOME, "lake").rglob("*.parquet")):
        table = pq.read_table(path)
        for name in table.column_names:
            for value in table[name].to_pylist():
                if isinstance(value, str):
                    yield path, value


def _left_in_the_lake():
    found = [
        (path.name, text) for path, content in _bytes_of_the_lake() for text, needle in _needles() if needle in content
    ]
    found += [(path.name, value) for path, value in _texts_in_parquet() for text, _ in _needles() if text in value]
    return found


def _left_in_the_rows():
    """Every value of every table as the database holds it."""
    found = []
    with connection.cursor() as cursor:
        for table in connection.introspection.table_names(cursor):
            cursor.execute(f'SELECT * FROM "{table}"')
            for row in cursor.fetchall():
                told = " ".join(str(bytes(value)) if isinstance(value, memoryview) else str(value) for value in row)
                told += json.dumps([value for value in row if isinstance(value, (str, dict, list))], ensure_ascii=False)
                found += [(table, text) for text, _ in _needles() if text in told]
    return found


def test_nothing_of_him_is_left_in_the_database_or_the_lake_and_everything_else_is(county, someone):
    _everything_lived(county, someone)
    before = _figures(county)
    others = {row.pk: row.name for row in Person.objects.visible_to(EYE).exclude(pk=someone.pk)}
    assert _left_in_the_lake()
    assert _left_in_the_rows()
    true = [row.event_id for row in Opening.objects.visible_to(EYE) if verify_event(row.event_id).true]

    _erase(county, someone.pk)
    assert forgetting.finish_erasures() == 1

    assert _left_in_the_rows() == []
    assert _left_in_the_lake() == []
    assert _figures(county) == before
    assert {row.pk: row.name for row in Person.objects.visible_to(EYE).exclude(pk=someone.pk)} == others
    assert [event for event in true if not verify_event(event).true] == []
    for address in lake().list():
        lake().verify(address)
    assert Erasure.objects.visible_to(EYE).get().finished_at is not None


def test_what_the_log_says_of_loads_and_shared_acts_is_still_verified_to_the_last_row(county, someone):
    _everything_lived(county, someone)
    load = Opening.objects.visible_to(EYE).filter(act="registry.load").last()
    shared = Change.objects.visible_to(EYE).filter(field="hamlet").last().event_id

    _erase(county, someone.pk)
    forgetting.finish_erasures()

    verdict = verify_event(load.event_id)
    assert verdict.details.intact
    assert not verdict.erased
    kept = Change.objects.visible_to(EYE).filter(event_id=shared)
    assert sorted(row.digest is None for row in kept) == [False, True]
    assert kept.get(digest=None).field == "hamlet"
    alone = Opening.objects.visible_to(EYE).filter(act="registry.correct", erased_at__isnull=False)
    assert alone.exists()
    assert not Opening.objects.visible_to(EYE).filter(act="registry.erase_person").get().payload["content"].keys() - {
        "erasure", "changes", "openings", "household",
    }  # fmt: skip


def test_a_sealed_year_keeps_codes_and_the_year_of_birth_and_says_what_it_was(county, someone):
    year = _everything_lived(county, someone)
    before = lake().read_manifest(year.address)

    _erase(county, someone.pk)
    forgetting.finish_erasures()

    now = ReportingYear.objects.get(year=year.year)
    told = lake().read_manifest(now.address)
    assert now.address != year.address
    assert not lake().exists(year.address)
    assert not lake().exists(year.serving)
    assert now.digest == told.facts["digest"]
    assert told.facts["was"] == [{"digest": before.facts["digest"], "until": str(clock.today())}]
    facts = sealed.person_of(now.serving, someone.pk)
    assert (facts.health, facts.disease_name, facts.employer) == ("03", "", "")
    home = [one for one in sealed.people_of(now.serving, someone.household_no) if one["person_no"] == someone.pk]
    assert [(one["name"], one["birth_date"], one["sex"]) for one in home] == [("", date(1951, 1, 1), "1")]
    act = Opening.objects.visible_to(EYE).filter(act="registry.rewrite_year", payload__content__year=year.year).get()
    assert act.payload["content"]["before"] == before.facts["digest"]
    assert act.payload["content"]["digest"] == now.digest
    known = queries.persons_of_year(county.viewer("county"), someone.household_no, year.year, AsOf.KNOWN)
    assert [one.facts.health for one in known if one.person_no == someone.pk] == ["02"]


def test_his_page_tells_who_may_read_it_the_day_and_nobody_anything_else(county, someone):
    _erase(county, someone.pk)

    def get(who, address):
        client = Client()
        client.post(reverse("accounts:sign_in"), {"username": county.users[who].username, "password": PASSWORD})
        return client.get(address)

    address = reverse("registry:person", args=[someone.pk])
    told = get("county", address)
    assert told.status_code == 410
    assert "2020" in told.content.decode()
    assert get("next_county", address).status_code == 404
    page = get("county", reverse("registry:household", args=[someone.household_no])).content.decode()
    assert FORMER not in page
    with pytest.raises(PersonErased):
        held_about(county.viewer("county"), someone.pk, "zh")
    assert not NameToken.objects.filter(name_match__in=[FORMER, NAME]).exists()


def test_the_last_of_a_household_takes_its_own_data_with_him(county):
    home, members = factory.family("H902", VILLAGE, phone="13907715555", longitude=108100000, latitude=24000000,
                                   cause_note="说明文字丙", hamlet="罕屯")  # fmt: skip
    load_registry(viewer=EYE, batch=factory.batch([home], members), year=factory.YEAR)
    found = Household.objects.visible_to(EYE).get(national_household_no="H902")
    correct(
        viewer=county.viewer("county"), edits=[Edit("phone", "13907716666", household_no=found.pk)],
        reason="更正电话号码", case_no=None,
    )  # fmt: skip
    factory.photographed(found)
    remove_household(viewer=county.viewer("county"), household_no=found.pk, reason="错评清退处理")
    numbers = list(Person.objects.visible_to(EYE).filter(household_no=found.pk).values_list("pk", flat=True))
    publish_snapshot(viewer=EYE)

    with clock.frozen(clock.now().replace(year=2027)):
        for number in numbers:
            assert found.phone
            _erase(county, number)
        forgetting.finish_erasures()

    now = Household.objects.visible_to(EYE).get(pk=found.pk)
    assert (now.phone, now.bank_account, now.longitude, now.hamlet, now.cause_note) == (None, None, None, "", "")
    assert [row.whole_household for row in Erasure.objects.visible_to(EYE).order_by("pk")] == [False] * 3 + [True]
    texts = [value for _, value in _texts_in_parquet()]
    assert not [value for value in texts if "罕屯" in value or "说明文字丙" in value]
    assert not photos_of(now).exists()
    rows = Change.objects.visible_to(EYE).filter(household_no=found.pk)
    assert all(row.new_sealed is None for row in rows)


def test_it_is_refused_before_the_day_and_says_which(county, someone):
    viewer = county.viewer("county")
    with pytest.raises(StillRegistered):
        erasing.ask(viewer=viewer, person_no=1, reason="本人申请删除")
    later = _register("H903", [_leaver("H903", left_on=date(2016, 2, 29))])
    with pytest.raises(RetentionNotOver) as refused:
        erasing.ask(viewer=viewer, person_no=later.pk, reason="本人申请删除")
    assert refused.value.values["day"] == date(2021, 3, 1)
    with pytest.raises(NotVisible):
        erasing.ask(viewer=county.viewer("next_county"), person_no=someone.pk, reason="本人申请删除")
    assert not Erasure.objects.visible_to(EYE).exists()


def test_what_is_open_about_him_stands_in_the_way(county, someone):
    asked = ChangeRequest.objects.visible_to(EYE)
    submit(
        viewer=county.viewer("village"), household_no=someone.household_no, reason="姓名写错了",
        edits=[Edit("name", NAME, person_no=someone.pk)],
    )  # fmt: skip
    assert asked.exists()
    with pytest.raises(ErasureInTheWay) as refused:
        erasing.ask(viewer=county.viewer("county"), person_no=someone.pk, reason="本人申请删除")
    assert refused.value.values["requests"] == 1


def test_an_open_case_about_him_stands_in_the_way(county, someone):
    subject = SubjectSpec(area_code=VILLAGE, household_no=someone.household_no, person_no=someone.pk)
    spec = CaseSpec(key="RA-02:x", topic="RA-02", subjects=(subject,), department="D01", origin={"rule": "RA-02"})
    open_cases(viewer=EYE, kind="suspect", specs=[spec])

    with pytest.raises(ErasureInTheWay) as refused:
        erasing.ask(viewer=county.viewer("county"), person_no=someone.pk, reason="本人申请删除")

    assert refused.value.values["cases"] == 1


def test_two_people_are_two_people(county, someone):
    viewer = county.viewer("county")
    row = erasing.ask(viewer=viewer, person_no=someone.pk, reason="留存期已满")
    with pytest.raises(ErasureAsked):
        erasing.ask(viewer=county.viewer("manager"), person_no=someone.pk, reason="留存期已满")
    with pytest.raises(NotYourErasure):
        erasing.approve(viewer=viewer, erasure_id=row.pk)
    colleague = people.account("colleague", "county_office", factory.COUNTY)
    day = clock.today()
    name_deputy(
        viewer=viewer, deputy_id=colleague.pk, area_code=factory.COUNTY, valid_from=day,
        valid_to=day.replace(day=day.day + 2), reason="外出开会",
    )  # fmt: skip
    with pytest.raises(NotYourErasure):
        erasing.approve(viewer=people.viewer(colleague), erasure_id=row.pk)
    with pytest.raises(NotYourErasure):
        erasing.withdraw(viewer=county.viewer("manager"), erasure_id=row.pk)
    assert Person.objects.visible_to(EYE).get(pk=someone.pk).name == FORMER

    declined = erasing.decline(viewer=county.viewer("manager"), erasure_id=row.pk, note="正在复核身份")
    assert declined.state == ErasureState.DECLINED
    with pytest.raises(ErasureOver):
        erasing.approve(viewer=county.viewer("manager"), erasure_id=row.pk)
    again = erasing.ask(viewer=viewer, person_no=someone.pk, reason="留存期已满")
    assert erasing.withdraw(viewer=viewer, erasure_id=again.pk).state == ErasureState.WITHDRAWN


def test_the_list_holds_those_whose_time_is_over_page_by_page(county):
    for at in range(5):
        _register(f"H91{at}", [_leaver(f"H91{at}", name=f"覃甲{at}", id_number=None)])
    _register("H919", [_leaver("H919", left_on=date(2017, 1, 1))])
    viewer = county.viewer("county")
    first = due_page(viewer, factory.COUNTY, size=3)
    second = due_page(viewer, factory.COUNTY, after=first.next_cursor, size=3)
    assert [row.name for row in (*first.rows, *second.rows)] == [f"覃甲{at}" for at in range(5)]
    assert second.next_cursor is None
    assert due_page(county.viewer("next_county"), factory.NEXT_COUNTY).rows == []
    _erase(county, first.rows[0].person_no)
    assert [row.name for row in due_page(viewer, factory.COUNTY).rows] == [f"覃甲{at}" for at in range(1, 5)]


def test_sheets_that_may_have_held_him_are_gone_and_say_so(county, someone):
    viewer = county.viewer("county")
    row = _bring(viewer, f"人口编号,姓名\nP9014,{NAME}\nP7777777,某人\n", "成员.csv")
    _erase(county, someone.pk)
    forgetting.finish_erasures()
    with pytest.raises(SheetEnded):
        importing.reject_sheet(viewer=viewer, import_id=row.pk, kind="members")


def test_somebody_registered_twice_is_erased_under_both_numbers(county):
    twin = _register("H904", [_leaver("H904", member_status="1", left_on=None)])
    kept = _register("H905", [_leaver("H905", member_status="1", left_on=None)])
    viewer = county.viewer("county")
    merge_person(viewer=viewer, keep=kept.pk, drop=twin.pk, reason="重复登记合并")
    leaving = Leaving(kept.pk, "3", "", clock.today())
    remove_members(viewer=viewer, household_no=kept.household_no, leaving=[leaving], reason="迁出本县")

    with clock.frozen(clock.now().replace(year=2026)):
        _erase(county, twin.pk)  # his former number means him

    assert [Person.objects.visible_to(EYE).get(pk=number).name for number in (twin.pk, kept.pk)] == ["", ""]
    assert Erasure.objects.visible_to(EYE).get().person_no == kept.pk


def test_approving_lets_a_job_follow_and_doing_it_again_changes_nothing(county, someone):
    _erase(county, someone.pk)
    assert Job.objects.filter(name=erasing.FINISHING).count() == 1
    publish_snapshot(viewer=EYE)
    assert forgetting.finish_erasures() == 1
    acts = Opening.objects.visible_to(EYE).count()
    assert forgetting.finish_erasures() == 0
    assert Opening.objects.visible_to(EYE).count() == acts


def test_sqlite_overwrites_what_is_deleted(db):
    if connection.vendor != "sqlite":
        pytest.skip("of SQLite")
    with connection.cursor() as cursor:
        assert cursor.execute("PRAGMA secure_delete").fetchone() == (1,)


def test_on_the_pages_one_asks_and_another_decides(county, someone):
    def browser(who):
        client = Client()
        client.post(reverse("accounts:sign_in"), {"username": county.users[who].username, "password": PASSWORD})
        return client

    asker, decider = browser("county"), browser("manager")
    listed = asker.get(reverse("registry:erasures")).content.decode()
    address = reverse("registry:erase", args=[someone.pk])
    assert address in listed
    assert FORMER not in listed
    assert address in asker.get(reverse("registry:person", args=[someone.pk])).content.decode()
    assert asker.post(address, {"reason": "留存期已满"}).status_code == 400  # not meant
    asked = asker.post(address, {"reason": "留存期已满", "meant": "on"})
    page = asked.url
    assert asker.post(address, {"reason": "留存期已满", "meant": "on"}).status_code == 409
    assert asker.post(page, {"decision": "approve", "meant": "on"}).status_code == 403
    assert decider.post(page, {"decision": "approve"}).status_code == 400
    assert decider.post(page, {"decision": "approve", "meant": "on"}).status_code == 302
    assert Person.objects.visible_to(EYE).get(pk=someone.pk).name == ""
    assert "2020" in decider.get(page).content.decode()
    assert decider.post(page, {"decision": "decline", "note": "不同意删除"}).status_code == 409
    assert browser("township").get(page).status_code == 403


def test_a_day_in_february_and_a_day_nobody_knows(county):
    unknown = _register("H920", [_leaver("H920", left_on=None)])
    home = Household.objects.visible_to(EYE).get(pk=unknown.household_no)
    assert kept(unknown) == Kept(home.entered_on, 5)
    assert years_after(date(2016, 2, 29), 5) == date(2021, 3, 1)
    assert years_after(date(2016, 2, 29), 4) == date(2020, 2, 29)
