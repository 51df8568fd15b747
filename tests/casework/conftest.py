"""A matter casework has never heard of: leaking roofs. County passes on, township assigns, somebody looks."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace

import pytest

from wanjia.accounts import sessions
from wanjia.accounts.models import GrantRow, Role, User
from wanjia.accounts.queries import viewer_for
from wanjia.audit.testing import unrecorded
from wanjia.casework import declared
from wanjia.casework.choices import Bar, Mutes, Need, Seat
from wanjia.casework.declared import Brief, Description, Offered
from wanjia.casework.rules import Action, Flow, Outcome, Step
from wanjia.casework.services import CaseSpec, SubjectSpec, open_cases
from wanjia.kernel import clock
from wanjia.kernel.errors import Sentence
from wanjia.reference import queries as reference
from wanjia.reference.models import Parameter
from wanjia.scope.system import system_viewer

COUNTY, OTHER_COUNTY = "451228", "451229"
TOWN, NEXT_TOWN = "451228100", "451228101"
VILLAGE, NEXT_VILLAGE, FAR_VILLAGE = "451228100201", "451228100202", "451228101203"


def words(text):
    return Sentence(text, text)


def action(code, to, permission, **more):
    return Action(code=code, title=words(code), consequence=words(code), permission=permission, to=to, **more)


FLOW = Flow(
    kind="leak",
    version=1,
    title=words("漏雨"),
    read_permission="leaks.read",
    open_permission="leaks.report",
    first="reported",
    outcomes=(
        Outcome(code="wet", title=words("属实"), holds=True),
        Outcome(code="dry", title=words("不属实"), holds=False, feedback=True),
        Outcome(code="away", title=words("没人在家"), holds=False, mutes=Mutes.NEVER),
    ),
    steps=(
        Step(
            code="reported", title=words("已报告"), seat=Seat.COUNTY, days_parameter="leaks.days.pass_on",
            actions=(action("pass_on", "at_town", "leaks.pass_on", bulk=True, record="dispatch"),),
        ),
        Step(
            code="at_town", title=words("到乡镇"), seat=Seat.TOWNSHIP, days_parameter="leaks.days.assign",
            actions=(
                action("assign", "with_looker", "leaks.assign", needs=frozenset({Need.ASSIGNEE}), bulk=True, record="dispatch"),
                action("not_ours", "reported", "leaks.assign", needs=frozenset({Need.REASON}), goes_back=True, bulk=True),
            ),
        ),
        Step(
            code="with_looker", title=words("查看中"), seat=Seat.PERSON, days_parameter="leaks.days.look",
            actions=(
                action(
                    "look", "looked", "leaks.look", needs=frozenset({Need.OUTCOME, Need.NOTE}), impartial=True,
                    outcomes=("wet", "dry", "away"), evidence_for=frozenset({"wet"}), routes={"wet": "to_mend"},
                ),
            ),
        ),
        Step(
            code="to_mend", title=words("待修"), seat=Seat.VILLAGE, also=(Seat.TOWNSHIP,), days_parameter="leaks.days.mend",
            actions=(action("mend", "looked", "leaks.mend", needs=frozenset({Need.CORRECTION}), apart_from=frozenset({"look"})),),
        ),
        Step(
            code="looked", title=words("待复核"), seat=Seat.COUNTY, days_parameter="leaks.days.decide",
            actions=(
                action(
                    "decide", "decided", "leaks.decide", apart_from=frozenset({"look", "mend"}), impartial=True, applies=True,
                ),
                action("again", "with_looker", "leaks.decide", needs=frozenset({Need.REASON}), goes_back=True),
            ),
        ),
        Step(
            code="decided", title=words("待抽查"), seat=Seat.COUNTY, days_parameter="leaks.days.sample",
            actions=(
                action("take", "sampled", "leaks.pass_on", bulk=True),
                action("close", "closed", "leaks.pass_on", bulk=True),
            ),
        ),
        Step(
            code="sampled", title=words("抽查中"), seat=Seat.COUNTY, days_parameter="leaks.days.sample",
            actions=(action("close", "closed", "leaks.pass_on", bulk=True),),
        ),
        Step(code="closed", title=words("办结"), seat=Seat.COUNTY),
    ),
)  # fmt: skip


class Roofs:
    """What the slice that owns roofs would answer; keeps what was asked of it."""

    def __init__(self):
        self.bars: dict[tuple[int, int], Bar] = {}
        self.applied: list[tuple[int, str]] = []
        self.refusal = None
        self.contacts: set[tuple[int, int]] = set()

    def describe(self, case, viewer, language):
        return Description(question=f"{case.topic} 漏雨吗?", checks=("上楼看看",))

    def headlines(self, cases, viewer, language):
        return {case.case_no: f"第 {case.case_no} 件" for case in cases}

    def topics(self, language):
        return {"LK-01": "漏雨"}

    def department(self, code, language):
        return code

    def briefs(self, cases, language, viewer=None):
        return {case.case_no: Brief(f"韦*{case.case_no}", f"{case.topic} 漏雨", ("上楼看看",)) for case in cases}

    def barred(self, user_ids, actions, cases):
        told = {
            (user, case.case_no): self.bars[user, case.household_no]
            for user in user_ids
            for case in cases
            if (user, case.household_no) in self.bars
        }
        return {action.code: told for action in actions}

    def remarks(self, user_ids, case, language):
        return {}

    def responsible(self, user_ids, cases):
        return {(user, case.case_no) for user, home in self.contacts for case in cases if case.household_no == home}

    def corrections(self, case, language):
        return ()

    def usual_corrections(self, cases, language):
        return ()

    def check(self, case, action, answer):
        if self.refusal:
            raise self.refusal

    def apply(self, *, viewer, case, action):
        self.applied.append((case.case_no, case.outcome))
        return {"mended": True}


@pytest.fixture
def roofs():
    return Roofs()


@pytest.fixture(autouse=True)
def leak_flow(roofs):
    declared.register(Offered(FLOW, roofs))
    yield FLOW
    declared.withdraw(FLOW)


DAYS = {"pass_on": 1, "assign": 2, "look": 7, "mend": 3, "decide": 3, "sample": 5}


@pytest.fixture
def deadlines(db):
    common = {
        "region": "",
        "valid_from": dt.date(2014, 1, 1),
        "source": "test",
        "title_zh": "期限",
        "title_en": "Deadline",
    }
    rows = [
        Parameter(name=f"leaks.days.{name}", value=days, value_type="days", **common) for name, days in DAYS.items()
    ]
    rows.append(Parameter(name="deadlines.days_at_most", value="366", value_type="integer", **common))
    rows.append(Parameter(name="deadlines.warn_share", value="0.8", value_type="share", **common))
    rows.append(Parameter(name="leaks.sample_share", value="0.05", value_type="share", **common))
    with unrecorded():
        Parameter.objects.filter(name__in=[row.name for row in rows]).delete()
        Parameter.objects.bulk_create(rows)
    reference.look_again()
    yield
    reference.look_again()


ROLES = {
    "leak_county": ["leaks.read", "leaks.report", "leaks.pass_on"],
    "leak_decider": ["leaks.read", "leaks.decide"],
    "leak_town": ["leaks.read", "leaks.assign"],
    "leak_looker": ["leaks.read", "leaks.look"],
    "leak_mender": ["leaks.read", "leaks.mend"],
}


class People:
    """Accounts made on demand; `viewer` reads their grants anew, as a request does."""

    def add(self, username, role, area, *, narrowed=None):
        with unrecorded():
            post, _ = Role.objects.get_or_create(
                code=role,
                defaults={
                    "title_zh": role, "title_en": role, "level": "county", "actions": ROLES[role], "position": 0,
                    "narrowed": narrowed or {}, "relation": "all", "source": "test",
                },
            )  # fmt: skip
            user = User.objects.create(
                username=username, display_name=username.title(), area_code=area, is_active=True, password="!",
                opened_on=dt.date(2020, 1, 1), password_set_on=dt.date(2020, 1, 1),
            )  # fmt: skip
            GrantRow.objects.create(
                user=user, role=post, area_code=area, relation="all", valid_from=dt.date(2020, 1, 1), granted_by=0
            )
        return user

    def viewer(self, user):
        return viewer_for(user)


@pytest.fixture
def people(db):
    return People()


@pytest.fixture
def county(people):
    return people.viewer(people.add("county", "leak_county", COUNTY))


@pytest.fixture
def decider(people):
    return people.viewer(people.add("decider", "leak_decider", COUNTY))


@pytest.fixture
def town(people):
    return people.viewer(people.add("town", "leak_town", TOWN))


@pytest.fixture
def looker(people):
    own = {"leaks.read": "own_cases", "leaks.look": "own_cases"}
    return people.viewer(people.add("looker", "leak_looker", TOWN, narrowed=own))


@pytest.fixture
def mender(people):
    return people.viewer(people.add("mender", "leak_mender", VILLAGE))


def spec(household_no, area=VILLAGE, topic="R1"):
    subject = SubjectSpec(area_code=area, household_no=household_no)
    return CaseSpec(key=f"{topic}:{household_no}", topic=topic, subjects=(subject,), department="roofs")


@pytest.fixture
def opened(deadlines, county):
    """Open cases for households; returns their numbers in the same order."""

    def open_some(*households, area=VILLAGE, topic="R1"):
        specs = [spec(number, area, topic) for number in households]
        found = open_cases(viewer=county, kind="leak", specs=specs)
        return [found.opened[item.key] for item in specs]

    return open_some


def without(viewer, *actions):
    """The same person with fewer permissions."""
    return replace(
        viewer, grants=tuple(replace(grant, actions=grant.actions - set(actions)) for grant in viewer.grants)
    )


@pytest.fixture
def browse(client):
    """A browser signed in as somebody."""

    def sign_in(viewer):
        client.force_login(User.objects.visible_to(system_viewer("accounts.sign_in")).get(pk=viewer.user_id))
        session = client.session
        session[sessions.STARTED] = session[sessions.SEEN] = clock.now().timestamp()
        session.save()
        return client

    return sign_in
