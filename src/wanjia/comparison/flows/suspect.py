"""Steps 3 to 11 of domain.md §6.1, version 1: from the province's issue to the sampled close.

A step's code is the state of §6.1's table; whose turn it is then, its seat. Deadlines are the
parameters `suspects.days.<step>`.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from wanjia.casework.choices import Mutes, Need, Seat
from wanjia.casework.rules import Action, Aside, Flow, Outcome, Step, Why
from wanjia.comparison.choices import CORRECTED, CORRECTING, EXEMPT, NORMAL_EXIT, WRONGLY_IDENTIFIED
from wanjia.kernel.errors import Sentence

TRUE_OUTCOMES = (CORRECTED, CORRECTING, NORMAL_EXIT, WRONGLY_IDENTIFIED)
ALL_OUTCOMES = (*TRUE_OUTCOMES, EXEMPT, "06", "07", "08", "09")
BACK = frozenset({Need.REASON})
LOOKED = frozenset({"verify", "correct", "review", "decide", "stand_by"})  # whoever samples has done none of it

OUTCOMES = (
    Outcome(code=CORRECTED, title=Sentence("属实，已整改", "True, corrected"), holds=True),
    Outcome(code=CORRECTING, title=Sentence("属实，整改中", "True, being corrected"), holds=True),
    Outcome(code=NORMAL_EXIT, title=Sentence("属实，按正常脱贫退出", "True, leaves by normal exit"), holds=True),
    Outcome(code=WRONGLY_IDENTIFIED, title=Sentence("属实，错评清退", "True, wrongly identified, removed"), holds=True),
    Outcome(
        code=EXEMPT,
        title=Sentence("属实，但符合政策例外", "True, but exempt by policy"),
        holds=True,
        mutes=Mutes.UNTIL,
        lasts_parameter="suspects.exempt_days",
        lasts_at_most_parameter="suspects.exempt_days_at_most",
    ),
    Outcome(
        code="06", title=Sentence("不属实，部门数据错误", "Not true, department error"), holds=False, feedback=True
    ),
    Outcome(code="07", title=Sentence("不属实，非同一人", "Not true, not the same person"), holds=False, feedback=True),
    Outcome(code="08", title=Sentence("不属实，数据过期", "Not true, outdated data"), holds=False, feedback=True),
    Outcome(code="09", title=Sentence("无法核实", "Cannot be verified"), holds=False, mutes=Mutes.NEVER),
)


MOVED = Why(code="moved", title=Sentence("已搬迁到外地", "They moved to another place"), asks_place=True)
OTHERWISE = Why(code="other", title=Sentence("其他原因", "Another reason"))
NOT_OURS = (
    MOVED,
    Why(code="boundary", title=Sentence("区划调整，现属外地", "The place now belongs elsewhere"), asks_place=True),
    Why(code="never", title=Sentence("查无此户，不在本地", "No such household lives here")),
    OTHERWISE,
)
NOT_ME = (
    Why(code="relative", title=Sentence("与该户有亲属关系，须回避", "I am a relative"), recuses=True),
    MOVED,
    Why(code="absent", title=Sentence("出差、请假或已离岗", "I am away or have left the post")),
    OTHERWISE,
)
RETURNS = "suspects.returns_at_most"
DECIDED_HERE = (
    Sentence("不在所列地方，由本级处置", "Not at these places, decide here"),
    Sentence(
        "由本级转到现住地，或仍按原地方办理", "This office sends it to where they live now, or keeps it as it was"
    ),
)


def _back(code: str, title: Sentence, consequence: Sentence, permission: str, to: str, **more: Any) -> Action:
    return Action(
        code=code, title=title, consequence=consequence, permission=permission, to=to, goes_back=True,
        record="dispatch", **({"needs": BACK} | more),
    )  # fmt: skip


def _not_ours(code: str, title: Sentence, consequence: Sentence, permission: str, to: str) -> Action:
    """A return to the level above, which decides; the same place may send a case up once."""
    return Action(
        code=code, title=title, consequence=consequence, permission=permission, to=to,
        needs=BACK | {Need.WHY}, whys=NOT_OURS, limit_parameter=RETURNS, goes_back=True, bulk=True, record="dispatch",
        at_own_desk=DECIDED_HERE,
    )  # fmt: skip


def _deciding(permission: str, to: str) -> list[Action]:
    """What the level above does with a return: it stays where it was, or goes to where they live now."""
    return [_redirect(permission, to), _insist(permission, to)]


def _insist(permission: str, to: str) -> Action:
    return Action(
        code="insist", title=Sentence("仍由原单位办理", "It stays where it was"),
        consequence=Sentence("发回原单位，不能再次退回", "Goes back down and cannot be returned again"),
        permission=permission, to=to, needs=BACK, staffed=True, record="dispatch",
    )  # fmt: skip


def _redirect(permission: str, to: str) -> Action:
    return Action(
        code="redirect", title=Sentence("转到现住地", "Send to where they live now"),
        consequence=Sentence(
            "转到所填地方办理；跨县的由两地共同的上级办理", "Goes there; a move between counties is handled above both"
        ),
        permission=permission, to=to, needs=frozenset({Need.PLACE}), moves=True, staffed=True, record="dispatch",
    )  # fmt: skip


PASS_ON = Action(
    code="pass_on",
    title=Sentence("派发到县", "Pass on to the county"),
    consequence=Sentence("转到所在县，由县级分派到乡镇", "Goes to its county, which distributes it to the township"),
    permission="suspects.dispatch",
    to="dispatched_county",
    bulk=True,
    record="dispatch",
)
DISTRIBUTE = Action(
    code="distribute",
    title=Sentence("分派到乡镇", "Distribute to the township"),
    consequence=Sentence("转到所在乡镇，由乡镇指派核查人", "Goes to its township, which assigns a verifier"),
    permission="suspects.distribute",
    to="dispatched_town",
    bulk=True,
    staffed=True,
    record="dispatch",
)
NOT_CITY = _not_ours(
    "not_city",
    Sentence("非本市，退回省级", "Not ours, back to the province"),
    Sentence("退回省级处置", "Goes back to the province, which decides"),
    "suspects.dispatch",
    "returned_province",
)
NOT_COUNTY = _not_ours(
    "not_county",
    Sentence("非本县，退回市级", "Not ours, back to the city"),
    Sentence("退回市级处置", "Goes back to the city, which decides"),
    "suspects.distribute",
    "returned_city",
)
NOT_TOWN = _not_ours(
    "not_town",
    Sentence("非本乡镇，退回县级", "Not ours, back to the county"),
    Sentence("退回县级处置", "Goes back to the county, which decides"),
    "suspects.assign",
    "returned_county",
)
ASSIGN = Action(
    code="assign",
    title=Sentence("指派核查人", "Assign a verifier"),
    consequence=Sentence("由指定人员入户核查", "The person named goes to the door"),
    permission="suspects.assign",
    to="assigned",
    needs=frozenset({Need.ASSIGNEE}),
    bulk=True,
    record="dispatch",
)
REASSIGN = Action(
    code="reassign",
    title=Sentence("改派核查人", "Assign somebody else"),
    consequence=Sentence("由另一人核查，期限重新计算", "Another person verifies; the deadline begins anew"),
    permission="suspects.assign",
    to="assigned",
    needs=frozenset({Need.ASSIGNEE}),
    also=(Seat.TOWNSHIP,),
    bulk=True,
    record="dispatch",
)
VERIFY = Action(
    code="verify",
    title=Sentence("提交核查结果", "Report what was found"),
    consequence=Sentence(
        "属实的转村级整改，其余转乡镇审核",
        "If true it goes to the village for correction, otherwise to the township's review",
    ),
    permission="suspects.verify",
    to="verified_no_change",
    routes=dict.fromkeys(TRUE_OUTCOMES, "verified"),
    needs=frozenset({Need.OUTCOME, Need.NOTE}),
    outcomes=ALL_OUTCOMES,
    evidence_for=frozenset({*TRUE_OUTCOMES, EXEMPT}),
    impartial=True,
)
CORRECT = Action(
    code="correct",
    title=Sentence("提交整改", "Propose the correction"),
    consequence=Sentence(
        "转乡镇审核；县级决定后才写入建档立卡",
        "Goes to the township's review; the registry changes only when the county decides",
    ),
    permission="suspects.correct",
    to="corrected",
    needs=frozenset({Need.CORRECTION}),
    apart_from=frozenset({"verify"}),
    impartial=True,
    record="correction",
)
REVIEW = Action(
    code="review",
    title=Sentence("审核通过", "Approve for the township"),
    consequence=Sentence("转县级决定", "Goes to the county for decision"),
    permission="suspects.review",
    to="town_reviewed",
    apart_from=frozenset({"verify", "correct"}),
    impartial=True,
    bulk=True,
)
DECIDE = Action(
    code="decide",
    title=Sentence("同意并办结", "Decide as proposed"),
    consequence=Sentence(
        "整改立即写入建档立卡，转市级抽查", "The correction is written to the registry now; the city may sample it"
    ),
    permission="suspects.decide",
    to="county_closed",
    apart_from=frozenset({"verify", "correct", "review"}),
    impartial=True,
    bulk=True,
    applies=True,
    unproposed=Sentence(
        "结论照此认定，建档立卡不作改动；转市级抽查",
        "The finding stands and the registry stays as it is; the city may sample it",
    ),
    settles={CORRECTING: CORRECTED},
)


def _passing(code: str, title: Sentence, consequence: Sentence, to: str, *, unlooked: bool = False) -> Action:
    """What the city, or the province over its head, does with decided cases; the rule is run again first."""
    return Action(
        code=code, title=title, consequence=consequence, permission="suspects.sample", to=to, also=(Seat.PROVINCE,),
        apart_from=LOOKED, impartial=True, bulk=True,
        reexamines=True, unlooked=unlooked,
    )  # fmt: skip


TAKE = _passing(
    "take", Sentence("列入抽查", "Take into the sample"), Sentence("逐件复核", "Is looked at again"), "sampled"
)
PASS = _passing(
    "pass",
    Sentence("不抽查，销号", "Close without a sample"),
    Sentence("核查件办结", "Closes the case"),
    "closed",
    unlooked=True,
)
CONFIRM = _passing(
    "confirm", Sentence("抽查无误，销号", "Confirm and close"), Sentence("核查件办结", "Closes the case"), "closed"
)
REOPEN = _back(
    "reopen",
    Sentence("抽查有误，重新核查", "Reopen"),
    Sentence(
        "退回县级重新分派核查；已写入的更正保留",
        "Goes back to the county to be verified anew; what was corrected stays",
    ),
    "suspects.sample",
    "reopened",
    also=(Seat.PROVINCE,),
    apart_from=LOOKED,
    impartial=True,
    applies=True,
)
SEND_BACK = _back(
    "send_back",
    Sentence("退回核查人", "Return to the verifier"),
    Sentence("由原核查人重新核查", "The same person verifies again"),
    "suspects.review",
    "assigned",
    impartial=True,
)


STAND_BY = Action(
    code="stand_by",
    title=Sentence("维持原结论", "Stand by the finding"),
    consequence=Sentence(
        "理由告知部门，结论不变，转市级抽查",
        "The department is told the reason; the finding stays and the city may sample it",
    ),
    permission="suspects.decide",
    to="county_closed",
    needs=frozenset({Need.REASON}),
    apart_from=frozenset({"verify", "correct", "review"}),
    impartial=True,
    applies=True,
)
LOOK_AGAIN = _back(
    "look_again",
    Sentence("撤回结论，重新核查", "Take it back and verify anew"),
    Sentence(
        "退回乡镇重新指派核查人；已写入的更正保留",
        "Goes back to the township, which has it verified anew; what was corrected stays",
    ),
    "suspects.decide",
    "dispatched_town",
    impartial=True,
    applies=True,
)
# What the department that sent the record says of it; `comparison.feedback` asks who may, and writes it.
AGREES = Aside(code="department_agrees", title=Sentence("部门认可数据有误", "The department agrees"))
DISPUTES = Aside(
    code="department_disputes",
    title=Sentence("部门有异议，交县级处理", "The department disputes; back to the county"),
    to="disputed",
    within=frozenset({"county_closed", "sampled"}),
)
TAKES_UP = Aside(
    code="department_takes_up",
    title=Sentence("部门对已销号件有异议，交县级处理", "The department disputes a closed case; back to the county"),
    to="disputed",
    within=frozenset({"closed"}),
)
OBJECTS = Aside(
    code="department_objects",
    title=Sentence("部门有异议，同一疑点已另行核查", "The department disputes; it is being verified anew already"),
)

REMINDED = Aside(
    code="department_reminded",
    title=Sentence("答复期限临近，提醒部门", "Deadline near, the department is reminded"),
    record="dispatch",
)
UNANSWERED = Aside(
    code="department_unanswered",
    title=Sentence("部门逾期未答复反馈，已上报", "Feedback unanswered past its deadline, raised"),
    record="dispatch",
)


# Steps whose time is that of another state of §6.1's table: the same desk does the same work.
SAME_TIME = {"verified_no_change": "corrected", "sampled": "county_closed", "reopened": "dispatched_county"}
SAME_TIME |= {"returned_county": "dispatched_county", "returned_city": "issued", "returned_province": "generated"}


def _step(code: str, title: Sentence, seat: Seat, actions: Iterable[Action], also: tuple[Seat, ...] = ()) -> Step:
    days = f"suspects.days.{SAME_TIME.get(code, code)}"
    return Step(code=code, title=title, seat=seat, also=also, days_parameter=days, actions=tuple(actions))


SUSPECT = Flow(
    kind="suspect",
    version=1,
    title=Sentence("疑似问题", "Suspect"),
    read_permission="suspects.read",
    export_permission="suspects.export",
    open_permission="comparison.issue",
    first="issued",
    outcomes=OUTCOMES,
    asides=(AGREES, DISPUTES, TAKES_UP, OBJECTS, REMINDED, UNANSWERED),
    sealed=frozenset({"id_number"}),
    steps=(
        _step(
            "issued",
            Sentence("待市级派发", "Waits for the city to pass it on"),
            Seat.CITY,
            [PASS_ON, _redirect("suspects.dispatch", "dispatched_county"), NOT_CITY],
        ),
        _step(
            "dispatched_county",
            Sentence("待县级分派", "Waits for the county to distribute it"),
            Seat.COUNTY,
            [DISTRIBUTE, _redirect("suspects.distribute", "dispatched_town"), NOT_COUNTY],
        ),
        _step("dispatched_town", Sentence("待指派核查人", "Waits for a verifier"), Seat.TOWNSHIP, [ASSIGN, NOT_TOWN]),
        _step(
            "returned_county",
            Sentence("乡镇退回，待县级处置", "Returned by the township, waits for the county"),
            Seat.COUNTY,
            [*_deciding("suspects.distribute", "dispatched_town"), NOT_COUNTY],
        ),
        _step(
            "returned_city",
            Sentence("县级退回，待市级处置", "Returned by the county, waits for the city"),
            Seat.CITY,
            [*_deciding("suspects.dispatch", "dispatched_county"), NOT_CITY],
        ),
        _step(
            "returned_province",
            Sentence("市级退回，待省级处置", "Returned by the city, waits for the province"),
            Seat.PROVINCE,
            _deciding("suspects.dispatch", "issued"),
        ),
        _step(
            "assigned",
            Sentence("待入户核查", "Waits for verification"),
            Seat.PERSON,
            [
                VERIFY,
                REASSIGN,
                _back(
                    "give_back",
                    Sentence("无法承担，退回乡镇", "Cannot do it, back to the township"),
                    Sentence("由乡镇另行指派", "The township assigns somebody else"),
                    "suspects.verify",
                    "dispatched_town",
                    whys=NOT_ME,
                    needs=BACK | {Need.WHY},
                    limit_parameter=RETURNS,
                ),
            ],
        ),
        _step(
            "verified",
            Sentence("属实，待整改", "True, waits for correction"),
            Seat.VILLAGE,
            [
                CORRECT,
                _back(
                    "dispute",
                    Sentence("对结论有疑问，退回核查人", "Question the finding, back to the verifier"),
                    Sentence("由原核查人重新核查", "The same person verifies again"),
                    "suspects.correct",
                    "assigned",
                    impartial=True,
                ),
            ],
            also=(Seat.TOWNSHIP,),
        ),
        _step(
            "verified_no_change",
            Sentence("无需整改，待乡镇审核", "Nothing to correct, waits for review"),
            Seat.TOWNSHIP,
            [REVIEW, SEND_BACK],
        ),
        _step(
            "corrected",
            Sentence("已整改，待乡镇审核", "Corrected, waits for review"),
            Seat.TOWNSHIP,
            [REVIEW, SEND_BACK],
        ),
        _step(
            "town_reviewed",
            Sentence("待县级决定", "Waits for the county's decision"),
            Seat.COUNTY,
            [
                DECIDE,
                _back(
                    "refuse",
                    Sentence("退回乡镇", "Return to the township"),
                    Sentence("由乡镇重新指派核查", "The township has it verified again"),
                    "suspects.decide",
                    "dispatched_town",
                    impartial=True,
                ),
            ],
        ),
        _step("county_closed", Sentence("县级已决定，待抽查", "Decided, may be sampled"), Seat.CITY, [TAKE, PASS]),
        _step("sampled", Sentence("抽查中", "In the sample"), Seat.CITY, [CONFIRM, REOPEN]),
        _step(
            "reopened",
            Sentence("抽查退回，待重新分派", "Reopened, waits for the county"),
            Seat.COUNTY,
            [DISTRIBUTE, _redirect("suspects.distribute", "dispatched_town"), NOT_COUNTY],
        ),
        _step(
            "disputed",
            Sentence("部门有异议，待县级处理", "Disputed by the department, waits for the county"),
            Seat.COUNTY,
            [STAND_BY, LOOK_AGAIN],
        ),
        Step(code="closed", title=Sentence("已销号", "Closed"), seat=Seat.COUNTY),
    ),
)
