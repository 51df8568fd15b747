"""Who is kin by the household book: a verifier who was never poor, and the household at whose door he would stand."""

import pytest

from tests.comparison.conftest import VILLAGE, register
from tests.comparison.suspects import POPULATION, _deliver
from tests.comparison.test_flow import do, row
from tests.factories.sources import number
from wanjia.accounts.services import NewAccount, NewGrant, open_accounts
from wanjia.audit.testing import unrecorded
from wanjia.casework import presenting, queries
from wanjia.casework.choices import Bar
from wanjia.casework.errors import AssigneeBarred
from wanjia.casework.services import CaseSpec, SubjectSpec, open_cases
from wanjia.comparison import kinship
from wanjia.comparison.flows import guards
from wanjia.comparison.flows.suspect import SUSPECT, VERIFY
from wanjia.comparison.services import refresh_inputs
from wanjia.registry.models import Membership, Person
from wanjia.scope.keys import keyring
from wanjia.scope.stores import lake
from wanjia.scope.system import system_viewer
from wanjia.sources.models import Batch

pytestmark = pytest.mark.django_db
EYE = system_viewer("comparison.case")
HEAD, DAUGHTER, SON_IN_LAW, LODGER, PUPIL, STRANGER = 1, 900, 901, 902, 903, 904
PEOPLE = {"daughter": DAUGHTER, "son-in-law": SON_IN_LAW, "lodger": LODGER, "pupil": PUPIL, "stranger": STRANGER}
KEPT, MOVED = "正常", "迁往县外"


def line(book, serial, relation, status=KEPT, kind="家庭户", name="韦某"):
    changed = "2015-03-01" if status == MOVED else ""
    return [book, kind, name, number(serial), "", relation, VILLAGE, status, changed, "", "", "都安县"]


BOOKS = [
    line("B1", HEAD, "户主", name="覃1"),
    line("B1", DAUGHTER, "之女", MOVED),  # married out, and still written there
    line("B2", DAUGHTER, "配偶"),
    line("B2", SON_IN_LAW, "户主"),
    line("B1", LODGER, "非亲属"),
    line("S1", 2, "其他", kind="集体户", name="覃2"),
    line("S1", PUPIL, "其他", kind="集体户"),
    line("B9", STRANGER, "户主"),
]  # fmt: skip


@pytest.fixture
def verifiers(office):
    """Information officers of the township whose own numbers are known."""
    accounts = [
        NewAccount(
            name, name, "451228100", id_number=number(serial), grants=[NewGrant("information_officer", "451228100")]
        )
        for name, serial in PEOPLE.items()
    ]
    return dict(zip(PEOPLE, open_accounts(viewer=system_viewer("accounts.administer"), accounts=accounts), strict=True))


@pytest.fixture
def household(world, office, gazetteer):
    """Two households of one person each, and a third he may move to."""
    for _ in range(3):
        world.person(village=VILLAGE)
    register(world)
    with unrecorded():
        for person_no in (1, 2, 3):
            Person.objects.visible_to(EYE).filter(pk=person_no).update(
                person_key=keyring().person_key(number(person_no))
            )
    return world


@pytest.fixture
def delivered(household, office, tmp_path):
    _deliver(tmp_path / "户籍.csv", POPULATION, BOOKS)
    refresh_inputs(viewer=office["province"])
    return Batch.objects.visible_to(EYE).get()


def a_case(office, household_no):
    spec = CaseSpec(
        key=f"RA-02:{household_no}", topic="RA-02", department="gongan", origin={"person_no": household_no},
        subjects=(SubjectSpec(area_code=VILLAGE, household_no=household_no, person_no=household_no),),
    )  # fmt: skip
    (number_of,) = open_cases(viewer=office["province"], kind="suspect", specs=[spec]).opened.values()
    for who, action in (("city", "pass_on"), ("county", "distribute")):
        do(office[who], number_of, action)
    return row(number_of)


def barred(verifiers, case):
    found = guards.barred([user.pk for user in verifiers.values()], [VERIFY.code], [case])[VERIFY.code]
    return {name: found[user.pk, case.case_no] for name, user in verifiers.items() if (user.pk, case.case_no) in found}


def test_whoever_stands_in_a_book_with_the_household_is_a_relative(delivered, office, verifiers):
    assert barred(verifiers, a_case(office, 1)) == {"daughter": Bar.SAME_BOOK}, "lodgers are no family"
    assert barred(verifiers, a_case(office, 2)) == {}, "nor are the pupils of a school"


def test_before_the_register_is_delivered_nothing_is_known(household, office, verifiers):
    assert barred(verifiers, a_case(office, 1)) == {}


def test_the_page_says_why_and_the_act_is_refused(delivered, office, verifiers):
    case = a_case(office, 1)
    page = presenting.case_page(case, office["town"], "zh")
    (assign,) = (offer for offer in page.can if offer.code == "assign")
    reasons = {person.user_id: person.reason for person in assign.candidates}
    assert reasons[verifiers["daughter"].pk] == "与该户有亲属关系（在同一户口簿上）"
    assert reasons[verifiers["lodger"].pk] == ""
    with pytest.raises(AssigneeBarred):
        do(office["town"], case.case_no, "assign", assignee=verifiers["daughter"].pk)
    do(office["town"], case.case_no, "assign", assignee=verifiers["stranger"].pk)
    assert queries.assignee_bars(row(case.case_no), SUSPECT.action("assigned", "reassign"), [verifiers["daughter"].pk])


def test_kinship_moves_with_the_people_of_the_register(delivered, office, verifiers):
    """The book names people; in which household they are today, the registry says."""
    with unrecorded():
        Membership.objects.visible_to(EYE).filter(person_no=1).update(household_no=3)
    assert barred(verifiers, a_case(office, 3)) == {"daughter": Bar.SAME_BOOK}


def test_a_withdrawn_delivery_says_nothing_any_more(delivered, office, verifiers):
    case = a_case(office, 1)
    with unrecorded():
        Batch.objects.visible_to(EYE).update(status="rejected")
    assert barred(verifiers, case) == {}


def test_the_index_keeps_only_books_of_registered_people_and_no_number_of_a_book(delivered, verifiers):
    (address,) = (
        kinship.address_of(delivered.pk, address.rpartition("snapshot=")[2])
        for address in lake().list(f"resolved/{kinship.DATASET}")
    )
    content = lake().path(address).read_bytes()
    assert b"B1" not in content
    keys = {name: keyring().person_key(number(serial)) for name, serial in PEOPLE.items()}
    head = keyring().person_key(number(HEAD))
    assert kinship.in_one_book([head, *keys.values()], "45") == {head: {keys["daughter"]}, keys["daughter"]: {head}}
