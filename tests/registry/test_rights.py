"""The document of everything held about one person: complete, masked, recorded, and for few."""

import pytest

from tests.factories import registry as factory
from wanjia.audit.access import access_store
from wanjia.registry.fields import FIELDS, as_text, fields_of
from wanjia.registry.models import PersonYear
from wanjia.registry.queries import words_for
from wanjia.registry.services import Edit, correct, reveal

pytestmark = pytest.mark.django_db
ADDRESS = "/registry/persons/3/"


@pytest.fixture(scope="module")
def county(stands):
    return factory.build()


def test_it_holds_every_value_change_and_reading_and_no_number_in_full(enter, county):
    viewer = county.viewer("county")
    edits = [Edit("member_phone", "13900139001", person_no=3), Edit("health", "02,04", person_no=3)]
    correct(viewer=viewer, edits=edits, reason="本人申请更正", case_no=None)
    reveal(viewer=viewer, field="id_number", reason="核对证件原件", person_no=3)

    text = enter("village").get(ADDRESS).content.decode()

    number = county.person(3).id_number.clear()
    assert number not in text
    assert "13900139001" not in text
    person = county.person(3)
    wanted = [words_for(field, as_text(getattr(person, field.name)), "zh") for field in fields_of(type(person))]
    for row in PersonYear._base_manager.filter(person_no=3):
        wanted += [words_for(field, as_text(getattr(row, field.name)), "zh") for field in fields_of(PersonYear)]
    for words in filter(None, wanted):
        assert words in text, words
    for told in ("本人申请更正", "139****9001", "核对证件原件", county.users["county"].display_name):
        assert told in text, told
    assert FIELDS["id_number"].title.zh in text
    mine = list(access_store().readings([("", None)], actor_id=county.users["village"].pk))
    assert [(row["subject_kind"], row["subject_id"]) for row in mine] == [("person", 3)]


def test_it_says_what_was_read_of_the_household_in_a_list(enter):
    client = enter("village")
    client.get("/registry/households/")
    (read,) = client.get(ADDRESS).context["held"].readings
    assert read.what == "户主姓名"


@pytest.mark.parametrize(
    ("who", "status"),
    [
        ("contact", 403),
        ("province", 200),
        ("next_township", 404),
        ("next_village", 404),
        ("auditor", 403),
        ("city", 403),
    ],
)
def test_it_is_for_those_who_may_see_a_record_in_full(enter, who, status):
    assert enter(who).get(ADDRESS).status_code == status
