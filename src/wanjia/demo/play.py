"""Four weeks of work in the county, played through the services by the people whose work it is.

Every act is done by the account whose turn it is, on the day it is done. Some townships are
quick, some are slow, some have not begun: when the demo opens, every desk has something waiting,
something under way and something overdue.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from datetime import date, datetime, timedelta
from functools import cache
from random import Random

from PIL import Image, ImageDraw

from wanjia.casework import queries as cases
from wanjia.casework import services as casework
from wanjia.casework.filters import CaseFilter
from wanjia.casework.models import Case
from wanjia.casework.rules import Answer
from wanjia.comparison.choices import WRONGLY_IDENTIFIED
from wanjia.comparison.feedback import queries as feedback
from wanjia.comparison.feedback.services import agree, dispute
from wanjia.comparison.queries import Filters
from wanjia.comparison.services import issue_findings, screen
from wanjia.demo.county import Founded
from wanjia.demo.fieldwork import Fieldwork
from wanjia.demo.line import ASKED
from wanjia.files.services import store
from wanjia.files.uploads import sealed_from
from wanjia.kernel import clock
from wanjia.scope.system import system_viewer
from wanjia.scope.viewer import Viewer

ISSUED, PASSED_ON, DISTRIBUTED = date(2020, 11, 2), date(2020, 11, 3), date(2020, 11, 4)
ASSIGNED = date(2020, 11, 6)
VERIFIED = {"quick": date(2020, 11, 7), "fair": date(2020, 11, 12)}  # the first of four days
CORRECTED, REVIEWED, DECIDED, SAMPLED = date(2020, 11, 11), date(2020, 11, 12), date(2020, 11, 13), date(2020, 11, 15)
SECOND_ROUND = date(2020, 11, 13)

DRAW = casework.Draw(take="take", rest="pass", share_parameter="suspects.sample_share", seed="demo")

# Of the second round's rule half the county waits for the province's screening when the demo opens.
LATER = "RA-02B"
ELSEWHERE = "RB-03"  # whoever is in no book of the county is most often in another province's
FIRST_ROUND = tuple(rule for rule in ASKED if rule != LATER)
SPEED = ("quick", "quick", "fair", "fair", "slow", "idle")  # of the townships, over and over

NOTES = {
    "01": "已核对户口簿、身份证和证件原件，情况属实，登记信息已按原件更正。",
    "03": "识别后用务工收入购置，家庭收入已稳定超过标准，群众认可退出。",
    "04": "入户核实，识别前已经如此，不符合识别条件，属错评。",
    "05": "经村民评议，符合政策例外，同意保留。",
    "06": "到部门窗口查询，登记人信息录入有误。",
    "08": "情况早已变化，有协议和票据，部门数据没有更新。",
    "09": "两次入户未见本人，邻居称全家在外务工。",
}
DISPUTED = "车管档案登记无误，未见转移登记；请核对过户凭证原件。"
AGREED = "登记有误，已列入更正清单，下一批数据更正。"


def play(scene: Founded, run_id: int, random: Random) -> tuple[int, int]:
    """Play the weeks; returns (cases closed, cases opened)."""
    cast = _Cast(scene)
    _send_down(cast, run_id)
    for number, township in enumerate(scene.place.townships):
        if cast.stage.startswith(township.code):
            _leave_open(cast, township.code, random)
        else:
            _work_through(cast, township.code, SPEED[number % len(SPEED)], random)
    _decide_and_sample(cast)
    _answer_feedback(cast)
    with _on(SECOND_ROUND):
        for township in scene.place.townships[::2]:  # the rest still waits for the province's screening
            _issue(cast, run_id, LATER, township.code)
    rows = Case.objects.visible_to(system_viewer("demo.build"))
    return rows.filter(closed_at__isnull=False).count(), rows.count()


class _Cast:
    """The accounts of the county as viewers, each made once a day."""

    def __init__(self, scene: Founded) -> None:
        self.scene = scene
        self._holders: dict[tuple[str, str], list[str]] = {}
        for post in scene.posts:
            self._holders.setdefault((post.role, post.area), []).append(post.username)
        self.stage = next(post.area for post in scene.posts if post.role == "village_operator" and post.shown)
        self.viewer: Callable[[str], Viewer] = cache(scene.viewer)
        self.fieldwork = Fieldwork(scene.invented)

    def reviewer(self, township: str) -> Viewer:
        return self.viewer(self._holders["township_reviewer", township][0])

    def verifiers(self, township: str) -> Sequence[str]:
        return self._holders["information_officer", township]

    def operator(self, village: str) -> Viewer | None:
        """Nobody for a case of two villages: that waits for their township."""
        holders = self._holders.get(("village_operator", village))
        return self.viewer(holders[0]) if holders else None


@contextmanager
def _on(day: date, hour: int = 9, minute: int = 0) -> Iterator[None]:
    with clock.frozen(datetime(day.year, day.month, day.day, hour, minute, tzinfo=clock.CHINA)):
        yield


def _issue(cast: _Cast, run_id: int, rule: str, area: str = "") -> None:
    province = cast.viewer("province")
    filters = Filters(rule=rule, area=area)
    screened = screen(province, run_id, filters)
    if screened.fresh:
        issue_findings(viewer=province, run_id=run_id, filters=filters, expected_count=screened.total)


def _all(viewer: Viewer, action: str, step: str) -> None:
    """Do to everything that waits on this desk what one click does."""
    waiting = CaseFilter(step=step, mine="1")
    count = cases.matching(viewer, waiting).count()
    if count:
        casework.act_in_bulk(viewer=viewer, action=action, case_filter=waiting, expected_count=count)


def _send_down(cast: _Cast, run_id: int) -> None:
    with _on(ISSUED):
        for rule in FIRST_ROUND:
            _issue(cast, run_id, rule)
    with _on(PASSED_ON):
        _all(cast.viewer("city"), "pass_on", "issued")
    with _on(DISTRIBUTED):
        _all(cast.viewer("county"), "distribute", "dispatched_county")


def _work_through(cast: _Cast, township: str, speed: str, random: Random) -> None:
    if speed == "idle":
        return
    share = {"quick": 1.0, "fair": 0.5, "slow": 0.0}[speed]
    reviewer = cast.reviewer(township)
    waiting = _cases_in(township)
    with _on(ASSIGNED, 10):
        for number, case in enumerate(waiting):
            officer = cast.verifiers(township)[number % 2]
            _act(reviewer, case, "assign", Answer(assignee=cast.scene.users[officer]))
    for number, case in enumerate(waiting):
        if random.random() < share:
            officer = cast.verifiers(township)[number % 2]
            _see_to(cast, case.case_no, officer, reviewer if speed == "quick" else None, random)


def _leave_open(cast: _Cast, township: str, random: Random) -> None:
    """The stage's own township: in turn a case for the village, one for the verifier, one nobody has yet."""
    reviewer, officer = cast.reviewer(township), cast.verifiers(township)[0]
    for number, case in enumerate(sorted(_cases_in(township), key=lambda case: case.area_code != cast.stage)):
        if number % 3 == 2:
            continue
        with _on(ASSIGNED, 10):
            _act(reviewer, case, "assign", Answer(assignee=cast.scene.users[officer]))
        if number % 3 == 0:
            with _on(VERIFIED["fair"], 15, random.randrange(60)):
                _report(cast.viewer(officer), case.case_no, "04" if case.topic.startswith("RA-") else "01")


def _cases_in(township: str) -> list[Case]:
    rows = Case.objects.visible_to(system_viewer("demo.build"))
    return list(rows.filter(holder_area=township, step="dispatched_town").order_by("case_no"))


def _see_to(cast: _Cast, case_no: int, officer: str, reviewer: Viewer | None, random: Random) -> None:
    """One case from the door to the county's desk, or part of the way; without a reviewer it rests after the door."""
    case = _case(case_no)
    outcome = _outcome_for(case, random)
    begun = VERIFIED["fair" if reviewer is None else "quick"]
    with _on(begun + timedelta(days=random.randrange(4)), 15, random.randrange(60)):
        _report(cast.viewer(officer), case_no, outcome)
    if reviewer is None or random.random() < 0.15:
        return  # still waits for the village, or for the township
    case = _case(case_no)
    if case.step == "verified":
        operator = cast.operator(case.area_code)
        if operator is None:
            return
        with _on(CORRECTED, 11, random.randrange(60)):
            proposed = cast.fieldwork.proposal(case, random)
            _act(operator, case, "correct", Answer(correction=proposed))
    if random.random() < 0.8:
        with _on(REVIEWED, 16, random.randrange(60)):
            _act(reviewer, _case(case_no), "review", Answer(note="材料齐全，同意。"))


def _report(viewer: Viewer, case_no: int, outcome: str) -> None:
    """What the verifier found at the door, with a picture."""
    case = _case(case_no)
    _photograph(viewer, case)
    until = date(2021, 12, 31) if outcome == "05" else None
    _act(viewer, case, "verify", Answer(outcome=outcome, note=NOTES[outcome], until=until))


def _outcome_for(case: Case, random: Random) -> str:
    if case.topic == LATER:
        return random.choices(("03", "05", "08"), weights=(70, 15, 15))[0]
    if case.topic.startswith("RA-"):  # a veto, if it is true
        return random.choices(("04", "05", "06", "08", "09"), weights=(58, 12, 10, 14, 6))[0]
    if case.topic == ELSEWHERE:
        return random.choices(("01", "05", "06", "09"), weights=(20, 56, 12, 12))[0]
    return random.choices(("01", "06", "08", "09"), weights=(70, 12, 12, 6))[0]


def _decide_and_sample(cast: _Cast) -> None:
    """The county decides most of what waits; the city draws its sample of the removals.

    What the county decides after the draw waits for the next one.
    """
    county, city = cast.viewer("county"), cast.viewer("city")
    waiting = _waiting("town_reviewed")
    first = len(waiting) * 3 // 5
    then = max(first + 1, len(waiting) * 4 // 5)
    with _on(DECIDED, 10):
        for case in waiting[:first]:
            _act(county, case, "decide", Answer(note="同意。"))
    with _on(SAMPLED, 10):
        removals = CaseFilter(kind="suspect", step="county_closed", outcome=WRONGLY_IDENTIFIED)
        found = cases.count(city, removals)
        if found:
            casework.draw_sample(viewer=city, case_filter=removals, expected_count=found, draw=DRAW)
    with _on(SAMPLED, 16):
        for case in waiting[first:then]:
            _act(county, case, "decide", Answer(note="同意。"))


def _answer_feedback(cast: _Cast) -> None:
    """The police disputes the first record held against it and agrees to every other one; the rest waits."""
    police = cast.viewer("traffic")
    with _on(SAMPLED, 17):
        for number, told in enumerate(feedback.waiting(police).order_by("id")):
            if number == 0:
                dispute(viewer=police, feedback_id=told.pk, seen_version=told.version, reason=DISPUTED)
            elif number % 2:
                agree(viewer=police, feedback_id=told.pk, seen_version=told.version, note=AGREED)


def _waiting(step: str) -> list[Case]:
    rows = Case.objects.visible_to(system_viewer("demo.build"))
    return list(rows.filter(step=step).order_by("case_no"))


def _case(case_no: int) -> Case:
    return Case.objects.get_visible(system_viewer("demo.build"), case_no=case_no)


def _act(viewer: Viewer, case: Case, action: str, answer: Answer) -> None:
    casework.act(viewer=viewer, case_no=case.case_no, action=action, seen_version=case.version, answer=answer)


def _photograph(viewer: Viewer, case: Case) -> None:
    """A picture of a door nobody lives behind, as evidence."""
    picture = Image.new("RGB", (480, 360), (206, 190, 160))
    draw = ImageDraw.Draw(picture)
    draw.rectangle((170, 110, 310, 350), fill=(122, 78, 46), outline=(70, 40, 20), width=6)
    draw.ellipse((285, 225, 297, 237), fill=(220, 190, 90))
    draw.text((12, 12), f"case {case.case_no}", fill=(40, 40, 40))
    content = io.BytesIO()
    picture.save(content, "JPEG", quality=80)
    with closing(sealed_from(content.getvalue(), "door.jpg", "evidence")) as upload:
        store(
            viewer=viewer,
            upload=upload,
            owner_kind="case",
            owner_id=case.case_no,
            area=case.area_code,
            purpose="evidence",
        )
