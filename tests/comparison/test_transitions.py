"""Every action of a suspect × state × role × relation, in and out of the area, against a table written from domain.md.

`suspect_flow.yaml` says what is legal. The flow as declared says which actions and states there are; what is tried is
their whole product. A refused act changes nothing: no version, no row of history, no audit entry.
"""

from __future__ import annotations

import io
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml
from django.db import connection, transaction
from PIL import Image

from tests.comparison.conftest import NEXT_COUNTY, NEXT_TOWN, VILLAGE, register
from wanjia.accounts import content
from wanjia.accounts.models import User
from wanjia.accounts.queries import viewer_for
from wanjia.accounts.services import NewAccount, NewGrant, open_accounts
from wanjia.audit.testing import unrecorded
from wanjia.casework import queries
from wanjia.casework.models import Case
from wanjia.casework.services import Answer, CaseSpec, SubjectSpec, act, happen, open_cases
from wanjia.comparison.flows import SUSPECT
from wanjia.files.services import store
from wanjia.files.uploads import sealed_from
from wanjia.kernel import clock
from wanjia.kernel.errors import Refusal
from wanjia.registry.models import Household, Membership, Person
from wanjia.scope.models import Holding
from wanjia.scope.system import system_viewer
from wanjia.scope.viewer import Relation, Viewer

pytestmark = pytest.mark.django_db
TABLE = yaml.safe_load(Path(__file__).with_name("suspect_flow.yaml").read_text("utf-8"))
OUTSIDE = TABLE.pop("from outside")
EYE = system_viewer("comparison.case")
LENGTH = {"province": 2, "city": 4, "county": 6, "township": 9, "village": 12}
BESIDE = {"province": "52", "city": "4509", "county": "451229", "township": "451228101", "village": "451228100201"}
STATES = [step.code for step in SUSPECT.steps]
ACTIONS = sorted({action.code for _, action in SUSPECT.actions()})
# Where the people live now: in the county's next township, in the city's next county, in the next city.
MOVED_TO = {"issued": NEXT_COUNTY, "returned_city": NEXT_COUNTY, "returned_province": "450921100200"}
TRUE = {"verified": "02", "corrected": "02"}  # the states only a true suspicion comes to


@dataclass(frozen=True, slots=True)
class Rule:
    """One legal act as the table has it."""

    to: dict[str, str]  # outcome → state; "" for whatever outcome
    by: dict[str, list[str]]
    holder: bool
    apart: tuple[str, ...]
    barred: tuple[str, ...]
    given: dict[str, Any] | None

    @classmethod
    def of(cls, row: dict[str, Any]) -> Rule:
        to = row["to"] if isinstance(row["to"], dict) else {"": row["to"]}
        holder, apart, barred = row.get("as") == "holder", tuple(row.get("apart", ())), tuple(row.get("not", ()))
        return cls(to, row["by"], holder, apart, barred, row.get("given"))


LEGAL = {(state, code): Rule.of(row) for state, rows in TABLE.items() for code, row in rows.items()}


@dataclass(frozen=True, slots=True)
class Post:
    """A role in an area of one level: the case's own, or one beside it."""

    role: str
    level: str
    inside: bool
    department: str = ""

    @property
    def area(self) -> str:
        return VILLAGE[: LENGTH[self.level]] if self.inside else BESIDE[self.level]

    def __str__(self) -> str:
        return f"{self.role}@{self.area}" + (f" of {self.department}" if self.department else "")


def _posts() -> Iterator[Post]:
    for role, facts in content.document()["roles"].items():
        of_cases = any(word.startswith("suspects.") for word in facts["actions"])
        for level in facts["levels"] if of_cases else facts["levels"][:1]:
            for inside in (True, False):
                if facts.get("relation") == "own_department":
                    yield from (Post(role, level, inside, department) for department in ("gongan", "minzheng"))
                else:
                    yield Post(role, level, inside)


POSTS = list(_posts())


def legal(state: str, code: str, post: Post, relation: str) -> Rule | None:
    """What the table says."""
    rule = LEGAL.get((state, code))
    if rule is None or not post.inside or post.level not in rule.by.get(post.role, ()):
        return None
    return rule if not rule.holder or relation == "holder" else None


@dataclass
class Scene:
    """A case in every state, brought there by people nobody else in the test is."""

    viewers: dict[str, Viewer]
    cases: dict[str, int] = field(default_factory=dict)

    def open(self, households: list[int]) -> list[int]:
        specs = [
            CaseSpec(
                key=f"RA-02:{number}", topic="RA-02", department="gongan", origin={"person_no": number},
                subjects=(SubjectSpec(area_code=VILLAGE, household_no=number, person_no=number),),
            )
            for number in households
        ]  # fmt: skip
        opened = open_cases(viewer=self.viewers["issuer"], kind="suspect", specs=specs).opened
        return [opened[spec.key] for spec in specs]

    def bring(self, number: int, state: str) -> None:
        """Along the shortest way of the table to a state."""
        for code, outcome in _way(state):
            if code == "verify" and outcome == "02":
                self.photograph(number)
            if code in OUTSIDE:
                happen(viewer=self.viewers["cast-outside"], case_no=number, code=code, note="登记无误")
            else:
                self.do(self.viewers[f"cast-{code}"], number, code, outcome)

    def do(self, viewer: Viewer, number: int, code: str, outcome: str = "", state: str = "", **more: Any) -> Case:
        return act(
            viewer=viewer, case_no=number, action=code, seen_version=version(number),
            answer=replace(self.answer(code, outcome, state), **more),
        )  # fmt: skip

    def post(self, post: Post) -> Viewer:
        return self.viewers[f"post-{POSTS.index(post)}"]

    def answer(self, code: str, outcome: str = "", state: str = "") -> Answer:
        """An answer that lacks nothing."""
        given: dict[str, Any] = {"reason": "另有情况"}
        if code in ("assign", "reassign"):
            given["assignee"] = self.viewers["cast-verify"].user_id
        if code == "verify":
            given |= {"outcome": outcome, "note": "入户查看，已拍照。"}
        if code == "correct":
            given["correction"] = {"change": "measure", "measure": "车辆已处置"}
        if code.startswith("not_") or code == "give_back":
            given["why"] = "other"
        if code == "redirect":
            given["place"] = MOVED_TO.get(state, NEXT_TOWN)
        return Answer(**given)

    def photograph(self, number: int) -> None:
        store(
            viewer=self.viewers["cast-verify"], upload=sealed_from(_photo(), "door.jpg", "evidence"),
            owner_kind="case", owner_id=number, area=VILLAGE, purpose="evidence",
        )  # fmt: skip


@cache
def _photo() -> bytes:
    image = io.BytesIO()
    Image.new("RGB", (64, 48), (200, 180, 150)).save(image, "JPEG")
    return image.getvalue()


def _way(state: str) -> list[tuple[str, str]]:
    wanted = TRUE.get(state, "06")
    ways: dict[str, list[tuple[str, str]]] = {"issued": []}
    waiting = ["issued"]
    while waiting:
        here = waiting.pop(0)
        for (step, code), rule in LEGAL.items():
            if step != here:
                continue
            for outcome, to in rule.to.items():
                if to not in ways and outcome in ("", wanted):
                    ways[to] = [*ways[here], (code, outcome)]
                    waiting.append(to)
        for code, row in OUTSIDE.items():
            if here in row["in"] and row["to"] not in ways:
                ways[row["to"]] = [*ways[here], (code, "")]
                waiting.append(row["to"])
    return ways[state]


def version(number: int) -> int:
    return Case.objects.for_writing().values_list("version", flat=True).get(pk=number)


CAST = {
    "issuer": ("province_data_officer", "45"),
    "cast-pass_on": ("city_office", "4512"),
    "cast-distribute": ("county_office", "451228"),
    "cast-assign": ("township_reviewer", "451228100"),
    "cast-verify": ("information_officer", "451228100"),
    "cast-correct": ("village_operator", VILLAGE),
    "cast-review": ("township_reviewer", "451228100"),
    "cast-decide": ("county_office", "451228"),
    "cast-not_town": ("township_reviewer", "451228100"),
    "cast-not_county": ("county_office", "451228"),
    "cast-not_city": ("city_office", "4512"),
    "cast-take": ("city_office", "4512"),
    "cast-confirm": ("city_office", "4512"),
    "cast-reopen": ("city_office", "4512"),
    "cast-outside": ("department_officer", "45", Relation.OWN_DEPARTMENT, "gongan"),
}


@pytest.fixture
def scene(world, office, gazetteer) -> Scene:
    people = {name: NewGrant(*post) for name, post in CAST.items()}
    people |= {
        f"post-{number}": NewGrant(post.role, post.area, department=post.department)
        for number, post in enumerate(POSTS)
    }
    accounts = [
        NewAccount(name.replace("_", "-"), name, grant.area_code, grants=[grant]) for name, grant in people.items()
    ]
    users = open_accounts(viewer=system_viewer("accounts.administer"), accounts=accounts)
    found = Scene({name: viewer_for(user) for name, user in zip(people, users, strict=True)})
    for _ in STATES:
        world.person(village=VILLAGE)
    register(world)
    for state, number in zip(STATES, found.open(list(range(1, len(STATES) + 1))), strict=True):
        found.cases[state] = number
        found.bring(number, state)
    found.photograph(found.cases["assigned"])
    return found


@contextmanager
def undone() -> Iterator[None]:
    """Whatever happens inside did not."""
    with transaction.atomic(), unrecorded():
        yield
        transaction.set_rollback(True)


WRITTEN = ("casework_caseevent", "casework_casemove", "log_outbox", "log_opening", "registry_change", "scope_holding")


def everything(number: int) -> tuple[Any, ...]:
    """All that an act could have moved, in one look."""
    counts = ", ".join(f'(SELECT COUNT(*) FROM "{table}")' for table in WRITTEN)
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT version, step, assignee_id, {counts} FROM casework_case WHERE case_no = %s", [number])
        return tuple(cursor.fetchone())


def give(number: int, state: str, user_id: int) -> None:
    """Let the case be, or have been, in somebody's hands."""
    Holding.objects.filter(relation="own_cases", subject_kind="case", subject_id=number).delete()
    Holding.objects.create(
        user_id=user_id, relation="own_cases", subject_kind="case", subject_id=number, valid_from=clock.today()
    )
    holds = {"holder_user_id": user_id} if state == "assigned" else {}
    Case.objects.for_writing().filter(pk=number).update(assignee_id=user_id, **holds)


def tried(scene: Scene, viewer: Viewer, state: str, code: str, outcome: str, **more: Any) -> str:
    """Where the act led, or the code of the refusal; nothing of it stays."""
    number = scene.cases[state]
    before = everything(number)
    with undone():
        try:
            case = scene.do(viewer, number, code, outcome, state, **more)
        except Refusal as refusal:
            return f"refused, {refusal.code}"
        after = everything(number)
        if (after[0], after[3], case.step) != (before[0] + 1, before[3] + 1, after[1]) or after[5] == before[5]:
            return f"moved without its record: {before} → {after}"
        return case.step


def wrong_of(scene: Scene, viewer: Viewer, state: str, post: Post, relation: str) -> Iterator[str]:
    """All that differs from the table for one person before one case."""
    number = scene.cases[state]
    may = {code: rule for code in ACTIONS if (rule := legal(state, code, post, relation)) is not None}
    for code, rule in may.items():
        for outcome, to in rule.to.items():
            if (led := tried(scene, viewer, state, code, outcome)) != to:
                yield f"{state}: {code} {outcome} by {post} ({relation}) should lead to {to}: {led}"
    case = Case.objects.visible_to(viewer).filter(pk=number).first()
    before = everything(number)
    for code in ACTIONS if case else _asked_of_the_blind(state):
        if code in may:
            continue
        try:
            led = act(
                viewer=viewer, case_no=number, action=code, seen_version=before[0], answer=scene.answer(code, "06", state),
            ).step  # fmt: skip
        except Refusal:
            continue
        yield f"{state}: {code} by {post} ({relation}) led to {led}"
        return
    if everything(number) != before:
        yield f"{state}: refused to {post} ({relation}), and yet something changed"
    offered = {item.action.code for item in queries.offers(viewer, case) if item.bar is None} if case else set()
    if offered != set(may):
        yield f"{state}: the page offers {sorted(offered)} to {post} ({relation}), not {sorted(may)}"


def _asked_of_the_blind(state: str) -> list[str]:
    """Who does not see the case is refused before it is known what he wants; what the state has, and something else."""
    own = [action.code for action in SUSPECT.step(state).actions]
    return [*own, next(code for code in ACTIONS if code not in own)]


def related(relation: str, state: str, user_id: int) -> None:
    """Let somebody stand in a relation to the household of the state's case."""
    number = STATES.index(state) + 1
    match relation:
        case "enterer":
            Household.objects.visible_to(EYE).filter(pk=number).update(entered_by=user_id)
        case "member" | "former_member":
            status = "1" if relation == "member" else "11"
            Person.objects.visible_to(EYE).filter(pk=number).update(person_key=4711)
            Membership.objects.visible_to(EYE).filter(person_no=number).update(member_status=status)
            User.objects.visible_to(EYE).filter(pk=user_id).update(id_key=4711)
        case "contact":
            Holding.objects.create(
                user_id=user_id, relation="own_households", subject_kind="household", subject_id=number,
                valid_from=clock.today(),
            )  # fmt: skip


RELATIONS = ("enterer", "member", "former_member", "contact")


def test_the_table_speaks_of_the_flow_that_is_declared():
    assert set(TABLE) == set(STATES)
    assert {code for _, code in LEGAL} == set(ACTIONS) - {"pass"}, "what is not sampled closes with the draw alone"
    reached = {to for rule in LEGAL.values() for to in rule.to.values()} | {row["to"] for row in OUTSIDE.values()}
    assert reached | {"issued"} == set(STATES)
    moving = {aside.code: (aside.to, aside.within) for aside in SUSPECT.asides if aside.to}
    assert {code: (row["to"], set(row["in"])) for code, row in OUTSIDE.items()} == moving
    told = {name for rule in LEGAL.values() for name in (*rule.barred, *(rule.given or {}).get("not", ()))}
    assert told == set(RELATIONS)


@pytest.mark.one_database
def test_every_action_in_every_state_by_every_role_in_every_relation(scene):
    wrong: list[str] = []
    for post in POSTS:
        viewer = scene.post(post)
        for state in STATES:
            for relation in ("none", "holder"):
                with undone():
                    if relation == "holder":
                        give(scene.cases[state], state, viewer.user_id)
                    wrong += wrong_of(scene, viewer, state, post, relation)
    assert wrong == []


def test_who_did_an_earlier_step_does_not_judge_it(scene):
    wrong: list[str] = []
    for (state, code), rule in LEGAL.items():
        post = next(post for post in POSTS if legal(state, code, post, "holder"))
        outcome, to = next(reversed(rule.to.items()))
        for earlier in {step for step, _ in _way(state)} - OUTSIDE.keys():
            viewer = replace(scene.viewers[f"cast-{earlier}"], grants=scene.post(post).grants)
            with undone():
                if rule.holder:
                    give(scene.cases[state], state, viewer.user_id)
                led = tried(scene, viewer, state, code, outcome)
            if (led == to) == (earlier in rule.apart) or not (led == to or led.startswith("refused")):
                wrong.append(f"{state}: {code} by who did {earlier}: {led}")
    assert wrong == []


def test_who_stands_near_the_household_does_not_judge_it(scene):
    wrong: list[str] = []
    for (state, code), rule in LEGAL.items():
        outcome, to = next(reversed(rule.to.items()))
        post = next(post for post in POSTS if legal(state, code, post, "holder"))
        for relation in RELATIONS:
            with undone():
                viewer = scene.post(post)
                if rule.holder:
                    give(scene.cases[state], state, viewer.user_id)
                related(relation, state, viewer.user_id)
                led = tried(scene, viewer, state, code, outcome)
            if (led == to) == (relation in rule.barred) or not (led == to or led.startswith("refused")):
                wrong.append(f"{state}: {code} by the household's {relation}: {led}")
    assert wrong == []


def test_to_whom_the_township_may_give_a_case(scene):
    wrong: list[str] = []
    for (state, code), rule in LEGAL.items():
        if rule.given is None:
            continue
        boss = scene.post(next(post for post in POSTS if legal(state, code, post, "none")))
        for post in POSTS:
            fit = post.inside and post.level in rule.given["by"].get(post.role, ())
            for relation in ("", *RELATIONS) if fit else ("",):
                with undone():
                    user_id = scene.post(post).user_id
                    related(relation, state, user_id)
                    led = tried(scene, boss, state, code, "", assignee=user_id)
                if (led == rule.to[""]) != (fit and relation not in rule.given["not"]):
                    wrong.append(f"{state}: {code} to {post} ({relation}): {led}")
    assert wrong == []
