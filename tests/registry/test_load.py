"""Loading: every row is taken in or reported, numbers follow the villages, one entry covers it all."""

import json
from datetime import date
from pathlib import Path

import pyarrow as pa
import pytest
from django.db import IntegrityError

from tests.factories import registry as factory
from tests.factories.registry import BUILDER, VILLAGES, batch, family, household_row, person_row
from wanjia.audit import rules
from wanjia.audit.details import sources
from wanjia.audit.models import Opening, Outbox
from wanjia.kernel import identity
from wanjia.reference.services import load_reference
from wanjia.registry.choices import RejectReason
from wanjia.registry.errors import ColumnsMissing, NothingToLoad
from wanjia.registry.loaded import loaded_digests, loaded_payload
from wanjia.registry.models import Change, Household, HouseholdYear, Membership, Person, PersonYear
from wanjia.registry.services import RegistryBatch, load_registry
from wanjia.registry.soundness import are_valid
from wanjia.scope.errors import NotAllowed
from wanjia.scope.keys import keyring
from wanjia.tlog.merkle import root


@pytest.fixture
def places(db):
    load_reference()
    factory.load_places()


def rows(model):
    return model.objects.visible_to(BUILDER)


def load(homes, people, **years):
    return load_registry(viewer=BUILDER, batch=batch(homes, people, **years), year=2020)


def reasons(result):
    return {(row.table, row.row): row.reason for row in result.rejected}


def test_everything_of_a_county_is_there(county):
    assert county.loaded.rejected == ()
    assert rows(Household).count() == county.loaded.households == 32
    assert rows(Person).count() == rows(Membership).count() == county.loaded.persons == 128
    assert rows(HouseholdYear).count() == county.loaded.household_years == 64
    assert rows(PersonYear).count() == county.loaded.person_years == 32
    assert rows(Change).count() == 0  # a first load is no change of anything


def test_what_was_written_is_what_was_sent(county):
    household = county.household(1)
    head = county.person(household.head_person_no)

    assert (household.national_household_no, household.village_code, household.member_count) == ("H001", VILLAGES[0], 3)
    assert (household.poverty_status, household.identified_year, household.exit_year) == ("1", 2015, 2018)
    assert household.phone.clear() == "13800138000"
    assert household.bank_account.masked == "***************1234"
    assert household.entered_by == county.users["village"].pk
    assert (head.name, head.birth_date, head.id_valid) == ("蓝大一", date(1975, 3, 1), True)
    assert head.id_number.clear() == factory.number(date(1975, 3, 1), 1, male=True)
    assert str(head.id_number) == "459999********" + head.id_number.clear()[-4:]
    assert head.person_key == keyring().person_key(head.id_number.clear())
    mother = rows(Membership).get(person_no=4)
    assert (mother.member_status, mother.left_on, mother.in_household) == ("2", date(2019, 2, 3), False)


def test_numbers_follow_the_villages_whatever_the_order_of_the_rows(places):
    late, people_late = family("H001", VILLAGES[3])
    early, people_early = family("H002", VILLAGES[0])

    load([late, early], [*people_late, *people_early])

    assert list(rows(Household).order_by("household_no").values_list("household_no", "village_code")) == [
        (1, VILLAGES[0]),
        (2, VILLAGES[3]),
    ]
    assert list(rows(Person).filter(household_no=1).order_by("pk").values_list("pk", flat=True)) == [1, 2, 3, 4]


def test_later_arrivals_are_appended(county):
    home, people = family("H900", VILLAGES[0])

    result = load([home], people)

    assert (result.first_household_no, result.first_person_no) == (33, 129)
    assert county.household(33).village_code == VILLAGES[0]


@pytest.mark.parametrize(
    ("facts", "reason"),
    [
        ({"village_code": "451228999999"}, RejectReason.UNKNOWN_VILLAGE),
        ({"village_code": "451228100"}, RejectReason.UNKNOWN_VILLAGE),
        ({"poverty_status": "9"}, RejectReason.CODE_UNKNOWN),
        ({"poverty_status": None}, RejectReason.CODE_UNKNOWN),
        ({"other_causes": "08,08"}, RejectReason.CODE_UNKNOWN),
        ({"identified_year": 2009}, RejectReason.YEAR_IMPOSSIBLE),
        ({"exit_year": 2014}, RejectReason.YEAR_IMPOSSIBLE),
        ({"exit_year": 2021}, RejectReason.YEAR_IMPOSSIBLE),
        ({"national_household_no": " "}, RejectReason.NUMBER_MISSING),
        ({"hamlet": "弄\x1f王屯"}, RejectReason.TEXT_UNREADABLE),
        ({"hamlet": "屯" * 61}, RejectReason.TEXT_UNREADABLE),
    ],
)
def test_a_household_that_fails_goes_with_its_people_and_the_others_stay(places, facts, reason):
    good, good_people = family("H001", VILLAGES[0])
    bad, bad_people = family("H002", VILLAGES[0])

    result = load([good, bad | facts], [*good_people, *bad_people])

    assert reasons(result)["households", 1] == reason
    assert (result.households, result.persons) == (1, 4)
    lost = {reasons(result)["persons", row] for row in range(4, 8)}
    assert lost in ({RejectReason.HOUSEHOLD_REJECTED}, {RejectReason.HOUSEHOLD_UNKNOWN})
    assert result.households + result.persons + len(result.rejected) == 2 + 8


@pytest.mark.parametrize(
    ("facts", "reason"),
    [
        ({"name": ""}, RejectReason.NAME_MISSING),
        ({"relation": "77"}, RejectReason.CODE_UNKNOWN),
        ({"national_person_no": "P0020"}, RejectReason.NUMBER_REPEATED),
        ({"national_household_no": "H404"}, RejectReason.HOUSEHOLD_UNKNOWN),
        ({"left_on": date(2019, 1, 1)}, RejectReason.DATES_DISAGREE),  # present, and yet gone
        ({"member_status": "3", "left_on": date(2015, 1, 1)}, RejectReason.DATES_DISAGREE),
        ({"joined_on": date(1970, 1, 1)}, RejectReason.DATES_DISAGREE),  # before he was born
        ({"member_status": "3", "joined_on": None, "left_on": date(1970, 1, 1)}, RejectReason.DATES_DISAGREE),
    ],
)
def test_a_person_who_fails_is_left_out_alone(places, facts, reason):
    home, people = family("H002", VILLAGES[0])
    people[2] |= facts

    result = load([home], people)

    assert reasons(result) == {("persons", 2): reason}
    assert rows(Household).get().member_count == 2


def test_a_household_without_a_head_or_with_two_is_refused(places):
    none, people_none = family("H001", VILLAGES[0])
    people_none[0]["relation"] = "99"
    two, people_two = family("H002", VILLAGES[0])
    people_two[1]["relation"] = "01"
    dead, people_dead = family("H003", VILLAGES[0])
    people_dead[0] |= {"member_status": "2", "left_on": date(2020, 1, 1)}
    good, people_good = family("H004", VILLAGES[0])

    result = load([none, two, dead, good], [*people_none, *people_two, *people_dead, *people_good])

    assert [reasons(result)["households", row] for row in range(3)] == [
        RejectReason.HEAD_MISSING,
        RejectReason.HEAD_REPEATED,
        RejectReason.HEAD_MISSING,
    ]
    assert (result.households, result.persons) == (1, 4)
    assert result.reasons[RejectReason.HOUSEHOLD_REJECTED] == 12


def test_who_is_registered_already_is_not_registered_again(county):
    known, people = family("H001", VILLAGES[0])
    fresh, fresh_people = family("H950", VILLAGES[0])

    result = load([known, fresh], [*people, *fresh_people])

    assert reasons(result)["households", 0] == RejectReason.ALREADY_REGISTERED
    assert (result.households, result.persons) == (1, 4)
    with pytest.raises(NothingToLoad) as refused:
        load([known], people)
    assert refused.value.values["rows"] == 1


def test_yearly_facts_need_their_owner_a_possible_year_and_come_once(places):
    home, people = family("H001", VILLAGES[0])
    years = [
        {"national_household_no": "H001", "year": 2019, "wage_income": 100},
        {"national_household_no": "H001", "year": 2019},
        {"national_household_no": "H404", "year": 2019},
        {"national_household_no": "H001", "year": 2031},
    ]

    result = load([home], people, household_years=years)

    assert result.household_years == 1
    assert reasons(result) == {
        ("household_years", 1): RejectReason.NUMBER_REPEATED,
        ("household_years", 2): RejectReason.HOUSEHOLD_UNKNOWN,
        ("household_years", 3): RejectReason.YEAR_IMPOSSIBLE,
    }


def test_a_wrong_number_is_kept_and_said_to_be_wrong(places):
    home, people = family("H001", VILLAGES[0])
    people[0]["id_number"] = "459999197602290013"  # wrong check digit
    people[1]["id_number"] = None
    people[2]["id_number"] = "无"

    load([home], people)

    head, wife, son = rows(Person).filter(pk__in=(1, 2, 3)).order_by("pk")
    assert (head.id_valid, head.person_key) == (False, keyring().person_key("459999197602290013"))
    assert (wife.id_number, wife.person_key, wife.id_valid) == (None, None, False)
    assert (son.person_key, son.id_valid) == (None, False)


def test_no_clear_number_is_in_any_file_of_the_installation(county, home, django_db_blocker):
    number = county.person(1).id_number.clear().encode()

    searched = [path for path in home.rglob("*") if path.is_file()]

    assert any("registry" in str(path) for path in searched)
    assert not [path for path in searched if number in path.read_bytes()]


def test_one_entry_covers_every_row_and_its_root_can_be_computed_again(county):
    opening = Opening.objects.visible_to(BUILDER).get(act="registry.load")
    source = next(each for each in sources() if each.label == "registry.load")

    found = list(source.rows(opening.event_id))

    assert opening.payload["content"] == {
        "year": 2020, "source": "tests", "rejected": 0,
        "households": 32, "persons": 128, "household_years": 64, "person_years": 32, "relocations": 0,
    }  # fmt: skip
    assert opening.area == "451228"
    assert opening.payload["details"]["count"] == len(found) == 32 + 128 + 64 + 32
    digests = [rules.detail_digest(salt, payload) for salt, payload in found]
    assert root(digests).hex() == opening.payload["details"]["root"]
    assert len({salt for salt, _ in found}) == len(found)


def test_columns_are_declared(places):
    home, people = family("H001", VILLAGES[0])
    whole = batch([home], people)
    with pytest.raises(ColumnsMissing, match="-national_household_no"):
        load_registry(
            viewer=BUILDER,
            batch=RegistryBatch(whole.households.drop_columns(["national_household_no"]), whole.persons),
            year=2020,
        )
    extra = whole.persons.append_column("colour", pa.array(["blue"] * 4))
    with pytest.raises(ColumnsMissing, match=r"\+colour"):
        load_registry(viewer=BUILDER, batch=RegistryBatch(whole.households, extra), year=2020)


def test_nobody_loads_outside_his_area(county):
    home, people = family("H900", VILLAGES[3])
    entries = Outbox.objects.count()

    with pytest.raises(NotAllowed):
        load_registry(viewer=county.viewer("village"), batch=batch([home], people), year=2020)

    assert rows(Household).count() == 32
    assert Outbox.objects.count() == entries


def test_a_load_that_fails_in_the_database_leaves_nothing(county, monkeypatch):
    """Another process registered the same household between our look and our insert."""
    monkeypatch.setattr("wanjia.registry.services.checks._registered", lambda *_: pa.array([], pa.string()))
    homes, people = [household_row("H001", VILLAGES[0])], [person_row("H001", 0)]
    entries = Outbox.objects.count()

    with pytest.raises(IntegrityError):
        load(homes, people)

    from django.db import transaction

    transaction.set_rollback(False)
    assert rows(Household).count() == 32
    assert Outbox.objects.count() == entries


def test_the_quick_judgement_of_a_column_is_the_kernels():
    vectors = json.loads((Path(__file__).parents[1] / "vectors/identity.json").read_text("utf-8"))
    today = date.fromisoformat(vectors["today"])
    texts = [each["raw"] for each in vectors["vectors"]] + [None, ""]
    sound = factory.number(date(2000, 2, 29), 7, male=True)
    texts += [sound[:at] + other + sound[at + 1 :] for at in range(18) for other in "019X"]
    texts += [factory.number(date(2020, 11, day), 7, male=True) for day in (15, 16, 17)]

    found = are_valid(pa.chunked_array([texts[:5], texts[5:]], pa.string()), today)

    assert found.tolist() == [identity.judge(text, today).valid for text in texts]
    assert 0 < sum(found) < len(texts)


def test_the_quick_digests_are_those_of_the_audit():
    rows = ["甲\x1f乙", 'with "quotes" and \\', "", "\u2028\U0001f600"]
    salts = [bytes([place]) * 16 for place in range(len(rows))]

    found = loaded_digests(["persons"] * len(rows), rows, salts)

    assert found == [
        rules.detail_digest(salt, loaded_payload("persons", row)) for row, salt in zip(rows, salts, strict=True)
    ]
