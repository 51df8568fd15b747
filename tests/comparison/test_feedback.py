"""What a department is told of its own records, and what it says to it (domain.md §6.1, outcomes 06–08)."""

import datetime as dt

import pytest

from tests.comparison.conftest import VILLAGE, _write, register
from tests.comparison.test_flow import SHARE, do, down_to_town, photograph, row
from tests.factories.sources import number
from wanjia.accounts.queries import viewer_for
from wanjia.accounts.services import NewAccount, NewGrant, open_accounts
from wanjia.audit.errors import IdentityNumberInPayload
from wanjia.audit.queries import verify_event
from wanjia.audit.testing import unrecorded
from wanjia.casework import presenting as case_pages
from wanjia.casework import queries as casework
from wanjia.casework.errors import AnswerIncomplete
from wanjia.casework.filters import CaseFilter
from wanjia.casework.models import Case, CaseEvent
from wanjia.casework.services import act_in_bulk, draw_sample
from wanjia.comparison.choices import FeedbackState
from wanjia.comparison.errors import DisputeNeedsReason, FeedbackMovedOn
from wanjia.comparison.feedback import desk, presenting, queries, raising, services
from wanjia.comparison.feedback.raising import Raised, raise_unanswered
from wanjia.comparison.models import Feedback, Run, WrongRecord
from wanjia.comparison.progress.figures import progress
from wanjia.comparison.progress.weekly import monday_of, weekly
from wanjia.comparison.queries import Filters
from wanjia.comparison.services import issue_findings, run_comparison
from wanjia.kernel import clock
from wanjia.lake import Type
from wanjia.reference import queries as reference
from wanjia.reference.services import Notice, set_parameter
from wanjia.scope.errors import NotVisible
from wanjia.scope.stores import lake
from wanjia.scope.system import system_viewer
from wanjia.scope.viewer import Relation
from wanjia.sources.models import Batch

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("case_no")]
EYE = system_viewer("comparison.case")
WHY = "车管档案登记无误，过户手续未办结。"


@pytest.fixture
def officers(office):
    """Department officers: of the police in the province, in the county and in the next one, and of civil affairs."""
    posts = {
        "police": ("45", "gongan"),
        "county_police": ("451228", "gongan"),
        "next_police": ("451229", "gongan"),
        "welfare": ("45", "minzheng"),
    }
    accounts = [
        NewAccount(
            name.replace("_", "-"), name, area,
            grants=[NewGrant("department_officer", area, Relation.OWN_DEPARTMENT, department)],
        )
        for name, (area, department) in posts.items()
    ]  # fmt: skip
    opened = open_accounts(viewer=system_viewer("accounts.administer"), accounts=accounts)
    return {name: viewer_for(user) for name, user in zip(posts, opened, strict=True)}


@pytest.fixture(scope="module")
def case_no(standing):
    return outdated(standing.world, standing.office)


def outdated(world, office):
    """One suspect in one village, at the county for its decision: the record is outdated."""
    world.car(world.person(village=VILLAGE), registered_on=dt.date(2013, 5, 1))
    register(world)
    world.publish()
    world.deliver()
    run = run_comparison(viewer=office["province"])
    issue_findings(viewer=office["province"], run_id=run.pk, filters=Filters(), expected_count=1)
    case = Case.objects.for_writing().get()
    down_to_town(office)
    answered(office, case.case_no, "08")
    return case.case_no


def answered(office, case_no, outcome, note="车辆已于去年过户，有协议。"):
    do(office["town"], case_no, "assign", assignee=office["verifier"].user_id)
    photograph(office["verifier"], case_no)
    do(office["verifier"], case_no, "verify", outcome=outcome, note=note)
    do(office["town"], case_no, "review")


def given(office, case_no):
    do(office["county"], case_no, "decide")
    return Feedback.objects.visible_to(queries.KEEPER).exclude(state=FeedbackState.LIFTED).get()


def again(feedback):
    return Feedback.objects.visible_to(queries.KEEPER).get(pk=feedback.pk)


def acts(case_no):
    return list(CaseEvent.objects.of(row(case_no)).order_by("id").values_list("action", flat=True))


def test_the_department_is_told_once_the_county_decided_and_has_working_days_to_answer(case_no, office, officers):
    assert not Feedback.objects.visible_to(queries.KEEPER).exists()
    feedback = given(office, case_no)
    assert (feedback.department, feedback.dataset, feedback.outcome) == ("gongan", "gongan.vehicles", "08")
    assert feedback.found == "车辆已于去年过户，有协议。"
    days = int(reference.parameter("feedback.days.answer", clock.today()))
    assert feedback.due_on == reference.calendar().add(clock.today(), days)
    assert list(queries.waiting(officers["police"])) == [feedback]
    assert row(case_no).step == "county_closed", "the case goes on its own way"


@pytest.mark.parametrize("outcome", ["05", "09"])
def test_an_outcome_that_says_nothing_of_the_record_is_not_told(case_no, office, outcome):
    with unrecorded():
        Case.objects.for_writing().filter(pk=case_no).update(outcome=outcome)
    do(office["county"], case_no, "decide")
    assert not Feedback.objects.visible_to(queries.KEEPER).exists()


def test_departments_are_told_of_what_is_decided_together(case_no, office, officers):
    waiting = CaseFilter(kind="suspect", step="town_reviewed")
    result = act_in_bulk(viewer=office["county"], action="decide", case_filter=waiting, expected_count=1)
    assert result.done == 1
    (feedback,) = queries.waiting(officers["police"])
    event = CaseEvent.objects.of(row(case_no)).get(action="decide")
    assert event.data["feedback"]["number"] == feedback.pk
    assert verify_event(event.event_id).true


def test_the_register_itself_is_no_department(case_no, office):
    with unrecorded():
        Case.objects.for_writing().filter(pk=case_no).update(department="registry")
    do(office["county"], case_no, "decide")
    assert not Feedback.objects.visible_to(queries.KEEPER).exists()


def test_each_department_reads_its_own_and_each_office_its_area(case_no, office, officers):
    feedback = given(office, case_no)
    for reader in (officers["police"], officers["county_police"], office["province"], office["city"], office["county"]):
        assert queries.feedback_for(reader, feedback.pk) == feedback
    strangers = (officers["welfare"], officers["next_police"], office["town"], office["verifier"], office["operator"])
    for stranger in strangers:
        with pytest.raises(NotVisible):
            queries.feedback_for(stranger, feedback.pk)
        assert not queries.listed(stranger).exists()
        assert queries.figures(stranger) == []


@pytest.mark.parametrize("who", ["welfare", "next_police"])
def test_nobody_answers_for_another_department(case_no, office, officers, who):
    feedback = given(office, case_no)
    with pytest.raises(NotVisible):
        services.dispute(viewer=officers[who], feedback_id=feedback.pk, seen_version=1, reason=WHY)
    for reader in ("province", "county"):  # they read it and are not asked
        with pytest.raises(NotVisible):
            services.agree(viewer=office[reader], feedback_id=feedback.pk, seen_version=1)
    assert again(feedback).state == FeedbackState.GIVEN


def test_the_department_agrees_and_the_case_tells_so(case_no, office, officers):
    feedback = given(office, case_no)
    version = row(case_no).version
    services.agree(viewer=officers["police"], feedback_id=feedback.pk, seen_version=1, note="将更正。")
    assert (again(feedback).state, again(feedback).answer) == (FeedbackState.AGREED, "agree")
    assert row(case_no).version == version, "nobody who looks at the case is disturbed"
    event = CaseEvent.objects.of(row(case_no)).get(action="department_agrees")
    assert (event.note, event.by_user, event.to_step) == ("将更正。", officers["police"].user_id, "county_closed")
    assert verify_event(event.event_id).true
    (line,) = queries.figures(officers["police"])
    assert (line.given, line.agreed, line.disputed, line.open, line.overdue, line.lifted) == (1, 1, 0, 0, 0, 0)


def test_a_dispute_lies_on_the_countys_desk_and_stays_until_the_county_has_looked(case_no, office, officers):
    feedback = given(office, case_no)
    services.dispute(viewer=officers["county_police"], feedback_id=feedback.pk, seen_version=1, reason=WHY)
    case = row(case_no)
    assert (case.step, case.holder_area, case.outcome) == ("disputed", "451228", "08")
    assert case.due_on == reference.calendar().add(clock.today(), 5)
    assert list(casework.work_queue(office["county"])) == [case]
    assert casework.waiting_for(office["county"]).all == 1
    assert casework.waiting_for(office["city"]).all == 0, "taken off the city's desk"
    page = case_pages.case_page(case, office["county"], "zh")
    assert any(WHY in warning for warning in page.told.warnings)
    assert [offer.code for offer in page.can] == ["stand_by", "look_again"]
    assert page.history[-1].event.note == WHY
    assert ("打开部门反馈", feedback.get_absolute_url()) in page.told.links
    assert all(verify_event(event.event_id).true for event in CaseEvent.objects.of(case))


def test_the_county_stands_by_with_a_reason_which_the_department_reads(case_no, office, officers):
    feedback = given(office, case_no)
    services.dispute(viewer=officers["police"], feedback_id=feedback.pk, seen_version=1, reason=WHY)
    with pytest.raises(AnswerIncomplete):
        do(office["county"], case_no, "stand_by")
    assert again(feedback).state == FeedbackState.DISPUTED
    do(office["county"], case_no, "stand_by", reason="过户协议和付款凭证齐全。")
    assert again(feedback).state == FeedbackState.STOOD_BY
    assert (row(case_no).step, row(case_no).outcome) == ("county_closed", "08")
    page = presenting.page(again(feedback), officers["police"], "zh")
    assert page.county_word == "过户协议和付款凭证齐全。"
    assert page.case_no is None, "a department is not led to the case"


def test_the_county_takes_its_word_back_and_the_village_looks_again(case_no, office, officers):
    feedback = given(office, case_no)
    services.dispute(viewer=officers["police"], feedback_id=feedback.pk, seen_version=1, reason=WHY)
    do(office["county"], case_no, "look_again", reason="协议无原件，请再核。")
    assert (row(case_no).step, row(case_no).outcome) == ("dispatched_town", "")
    assert again(feedback).state == FeedbackState.LIFTED
    assert presenting.page(again(feedback), officers["police"], "zh").county_word == "协议无原件，请再核。"
    answered(office, case_no, "07", "是同名的邻居。")
    second = given(office, case_no)
    assert (second.pk != feedback.pk, second.outcome, second.state) == (True, "07", FeedbackState.GIVEN)
    (line,) = queries.figures(officers["police"])
    assert (line.given, line.disputed, line.open) == (2, 1, 1)


def test_a_finding_that_the_sample_sends_back_is_no_longer_told(case_no, office, officers):
    feedback = given(office, case_no)
    decided = CaseFilter(kind="suspect", step="county_closed")
    draw_sample(viewer=office["city"], case_filter=decided, expected_count=1, draw=SHARE)
    do(office["city"], case_no, "reopen", reason="证据不足")
    assert again(feedback).state == FeedbackState.LIFTED
    assert not queries.waiting(officers["police"]).exists()
    with pytest.raises(FeedbackMovedOn):
        services.dispute(viewer=officers["police"], feedback_id=feedback.pk, seen_version=1, reason=WHY)
    (line,) = queries.figures(officers["police"])
    assert (line.given, line.lifted, line.open) == (1, 1, 0)


def closed(office, case_no):
    decided = CaseFilter(kind="suspect", step="county_closed")
    draw_sample(viewer=office["city"], case_filter=decided, expected_count=1, draw=SHARE)
    do(office["city"], case_no, "confirm")


def test_a_closed_case_is_taken_up_again_and_counted_once(case_no, office, officers):
    feedback = given(office, case_no)
    closed(office, case_no)
    county, monday = office["county"], monday_of(clock.today())
    assert casework.verdicts(county, "suspect")["RA-02"].answered == 1
    assert casework.listing(county, CaseFilter(state="closed")).total == 1
    services.dispute(viewer=officers["police"], feedback_id=feedback.pk, seen_version=1, reason=WHY)
    assert (row(case_no).step, row(case_no).closed_at) == ("disputed", None)
    assert casework.listing(county, CaseFilter(state="closed")).total == 0
    assert acts(case_no)[-1] == "department_takes_up"
    assert casework.verdicts(county, "suspect")["RA-02"].answered == 0
    assert (weekly(county, "451228", monday).total.closed, weekly(county, "451228", monday).total.closed_all) == (1, 0)
    do(county, case_no, "stand_by", reason="凭证齐全。")
    closed(office, case_no)
    assert casework.verdicts(county, "suspect")["RA-02"].answered == 1
    assert weekly(county, "451228", monday).total.closed_all == 1
    assert progress(county, "451228").total.closed == 1


def test_what_was_taken_back_after_a_dispute_counts_as_sent_back(case_no, office, officers):
    feedback = given(office, case_no)
    services.dispute(viewer=officers["police"], feedback_id=feedback.pk, seen_version=1, reason=WHY)
    do(office["county"], case_no, "look_again", reason="请再核。")
    total = weekly(office["county"], "451228", monday_of(clock.today())).total
    assert (total.verified_all, total.returned_all, total.reopened) == (1, 1, 1)
    assert progress(office["county"], "451228").total.reopened == 1


def test_a_dispute_of_a_closed_case_does_not_open_it_beside_a_newer_one(case_no, office, officers):
    feedback = given(office, case_no)
    closed(office, case_no)
    old = row(case_no)
    with unrecorded():
        Case.objects.create(
            kind=old.kind, flow_version=1, topic=old.topic, key=old.key, department=old.department,
            area_code=old.area_code, step="issued", holder_area="4512", opened_at=clock.now(),
            step_entered_at=clock.now(), warn_on=clock.today(), due_on=clock.today(),
        )  # fmt: skip
    services.dispute(viewer=officers["police"], feedback_id=feedback.pk, seen_version=1, reason=WHY)
    assert row(case_no).step == "closed"
    assert acts(case_no)[-1] == "department_objects"
    assert (again(feedback).state, again(feedback).reason) == (FeedbackState.LIFTED, WHY)


def test_a_feedback_is_answered_once(case_no, office, officers):
    feedback = given(office, case_no)
    services.agree(viewer=officers["police"], feedback_id=feedback.pk, seen_version=1)
    for attempt in (services.agree, lambda **asked: services.dispute(**asked, reason=WHY)):
        with pytest.raises(FeedbackMovedOn) as refused:
            attempt(viewer=officers["county_police"], feedback_id=feedback.pk, seen_version=1)
        assert "police" in refused.value.sentences("zh")[0]
    assert again(feedback).state == FeedbackState.AGREED


def test_a_stale_page_answers_nothing(case_no, office, officers):
    feedback = given(office, case_no)
    with unrecorded():
        Feedback.objects.visible_to(queries.KEEPER).update(version=2)
    with pytest.raises(FeedbackMovedOn):
        services.dispute(viewer=officers["police"], feedback_id=feedback.pk, seen_version=1, reason=WHY)
    assert row(case_no).step == "county_closed"


@pytest.mark.parametrize("reason", ["", "   "])
def test_a_dispute_has_a_reason(case_no, office, officers, reason):
    feedback = given(office, case_no)
    with pytest.raises(DisputeNeedsReason):
        services.dispute(viewer=officers["police"], feedback_id=feedback.pk, seen_version=1, reason=reason)
    assert again(feedback).state == FeedbackState.GIVEN


def test_an_answer_holds_no_identity_number(case_no, office, officers):
    feedback = given(office, case_no)
    for attempt in (
        lambda text: services.agree(viewer=officers["police"], feedback_id=feedback.pk, seen_version=1, note=text),
        lambda text: services.dispute(viewer=officers["police"], feedback_id=feedback.pk, seen_version=1, reason=text),
    ):
        with pytest.raises(IdentityNumberInPayload):
            attempt(f"本人 {number(1)} 无误")
    assert again(feedback).state == FeedbackState.GIVEN


def test_overdue_feedback_is_shown_as_overdue_and_may_still_be_answered(case_no, office, officers):
    feedback = given(office, case_no)
    late = dt.datetime.combine(feedback.due_on + dt.timedelta(days=1), dt.time(9), clock.CHINA)
    with clock.frozen(late):
        assert desk.waits(officers["police"]) == desk.Waits(feedback=1, overdue=1, files=0)
        (shown,) = presenting.rows(list(queries.waiting(officers["police"])), "zh")
        assert (shown.tone, shown.state) == ("late", "待部门答复，已超期")
        (line,) = queries.figures(office["county"])
        assert (line.open, line.overdue) == (1, 1)
        assert list(queries.listed(officers["police"], "overdue")) == [feedback]
        services.agree(viewer=officers["police"], feedback_id=feedback.pk, seen_version=1)
        assert desk.waits(officers["police"]) == desk.Waits(0, 0, 0)


def keep_rows(world, batch, *, shift=0, **changes):
    """The delivery's rows as they were read, which the county's comparison does not need any more."""
    own = {"owner_name": "覃大某", **changes}
    rows = [
        {**car, **own, "person_key": 7000 + car["person_no"], "source_row": car["source_row"] + shift}
        for car in world.cars
    ]
    columns = {
        "source_row": Type.INTEGER, "person_key": Type.BIGINT, "owner_name": Type.TEXT, "plate": Type.TEXT,
        "vehicle_kind": Type.TEXT, "vehicle_use": Type.TEXT, "model": Type.TEXT, "registered_on": Type.DATE,
        "vehicle_status": Type.TEXT,
    }  # fmt: skip
    with lake().publishing(batch.typed) as staging:
        _write(staging.path("part-0.parquet"), rows, columns)


def test_a_later_delivery_that_still_says_the_same_is_told(world, case_no, office, officers):
    keep_rows(world, Batch.objects.visible_to(EYE).get())
    feedback = given(office, case_no)
    services.agree(viewer=officers["police"], feedback_id=feedback.pk, seen_version=1)
    assert desk.carried(officers["police"]) == [], "the delivery it was found in is not told again"

    later = world.deliver(resolved=False)
    keep_rows(world, later, shift=40)
    police = officers["police"]
    (told,) = desk.carried(police)
    assert (told.batch.pk, told.rows) == (later.pk, [world.cars[0]["source_row"] + 40]), (
        "wherever in the file it stands"
    )
    assert desk.carried(officers["welfare"]) == []
    assert desk.carried(officers["next_police"]) == []

    corrected = world.deliver(resolved=False, file_hash="d" * 64, raw="raw/d")
    keep_rows(world, corrected, vehicle_status="注销")
    assert desk.carried(police) == []


def test_what_was_taken_back_is_no_longer_held_against_the_record(world, case_no, office, officers):
    keep_rows(world, Batch.objects.visible_to(EYE).get())
    feedback = given(office, case_no)
    services.agree(viewer=officers["police"], feedback_id=feedback.pk, seen_version=1)
    keep_rows(world, world.deliver(resolved=False))
    assert desk.carried(officers["police"])
    with unrecorded():
        services.lift(office["county"], row(case_no))
    assert desk.carried(officers["police"]) == []


def test_the_row_is_shown_as_it_was_delivered_to_whoever_may_open_the_delivery(world, case_no, office, officers):
    keep_rows(world, Batch.objects.visible_to(EYE).get())
    feedback = given(office, case_no)
    (mine,) = presenting.page(feedback, officers["police"], "zh").delivered
    assert (mine.line, mine.file, mine.kept) == (world.cars[0]["source_row"], "车辆.csv", True)
    shown = {title: (value, asked) for title, value, asked in mine.facts}
    assert shown["所有人"] == ("覃*某", True), "the rule asks that the name agrees"
    assert shown["品牌型号"][0] == "五菱宏光"
    with unrecorded():
        Batch.objects.visible_to(EYE).update(area="45")
    (theirs,) = presenting.page(feedback, office["county"], "zh").delivered
    assert "所有人" not in {title for title, _, _ in theirs.facts}, (
        "of a delivery he may not open only what the case shows"
    )
    assert theirs.file == ""


def test_where_a_record_is_missing_nobody_elses_row_is_shown(world, case_no, office, officers):
    """The findings of such a rule count people, not lines of a file."""
    keep_rows(world, Batch.objects.visible_to(EYE).get())
    feedback = given(office, case_no)
    run = Run.objects.get(pk=feedback.run_id)
    with unrecorded():
        Run.objects.filter(pk=run.pk).update(rules=[{**rule, "shape": "absent"} for rule in run.rules])
    page = presenting.page(feedback, officers["police"], "zh")
    assert (page.delivered, page.row.source) == ([], "")
    services.agree(viewer=officers["police"], feedback_id=feedback.pk, seen_version=1)
    assert not WrongRecord.objects.visible_to(EYE).exists()


def test_the_record_is_shown_to_its_department_and_the_person_only_masked(case_no, office, officers):
    feedback = given(office, case_no)
    page = presenting.page(feedback, officers["police"], "zh")
    assert "*" in page.row.person
    (delivered,) = page.delivered
    assert any(title == "号牌号码" and asked for title, _, asked in delivered.facts)
    assert presenting.page(feedback, office["county"], "zh").case_no == case_no


def _after(day, working_days):
    """The morning so many working days after a day."""
    later = reference.calendar().add(day, working_days)
    return dt.datetime.combine(later, dt.time(7), clock.CHINA)


def test_a_department_is_reminded_and_then_its_data_office_is_told(case_no, office, officers):
    feedback, version = given(office, case_no), row(case_no).version
    assert raise_unanswered() == Raised(0, 0), "nothing is due yet"
    with clock.frozen(_after(feedback.warn_on, 0)):
        assert raise_unanswered() == Raised(1, 0)
        assert raise_unanswered() == Raised(0, 0), "once a deadline"
        assert desk.waits(officers["police"]).soon == 1
    grace = int(reference.parameter("feedback.days.raise", clock.today()))
    with clock.frozen(_after(feedback.due_on, grace)):
        assert raise_unanswered() == Raised(0, 0)
        assert queries.unanswered(office["county"]) == queries.Unanswered(overdue=1, raised=0)
    with clock.frozen(_after(feedback.due_on, grace + 1)):
        assert raise_unanswered() == Raised(0, 1)
        assert raise_unanswered() == Raised(0, 0)
        assert again(feedback).raised_to == "451228", "the delivery covers this county"
        assert queries.unanswered(office["county"]) == queries.Unanswered(overdue=1, raised=1)
        assert queries.unanswered(office["city"]) == queries.Unanswered(overdue=1, raised=0)
        assert list(queries.listed(office["county"], queries.RAISED_HERE)) == [feedback]
        assert not queries.listed(office["city"], queries.RAISED_HERE).exists()
        assert list(queries.listed(office["city"], queries.RAISED)) == [feedback]
        (line,) = queries.figures(office["city"], by="department")
        assert (line.of, line.overdue, line.raised) == ("gongan", 1, 1)
        (shown,) = presenting.rows([again(feedback)], "zh")
        assert shown.state == "待部门答复，已超期并报451228"
        page = case_pages.case_page(row(case_no), office["county"], "zh")
        assert any("已超期并报451228督促" in warning for warning in page.told.warnings)
        assert [line.title for line in page.history][-2:] == ["答复期限临近，提醒部门", "部门逾期未答复反馈，已上报"]
        assert row(case_no).version == version, "nobody who looks at the case is disturbed"
        services.agree(viewer=officers["police"], feedback_id=feedback.pk, seen_version=1)
        assert queries.unanswered(office["county"]) == queries.Unanswered(overdue=0, raised=0)
        assert not queries.listed(office["city"], queries.RAISED).exists()
    assert acts(case_no)[-3:] == ["department_reminded", "department_unanswered", "department_agrees"]
    assert all(verify_event(event.event_id).true for event in CaseEvent.objects.of(row(case_no)))


def test_an_answer_in_time_is_neither_reminded_of_nor_raised(case_no, office, officers):
    feedback = given(office, case_no)
    services.agree(viewer=officers["police"], feedback_id=feedback.pk, seen_version=1)
    with clock.frozen(_after(feedback.due_on, 9)):
        assert raise_unanswered() == Raised(0, 0)


@pytest.mark.parametrize(
    ("area", "office_at"),
    [("45", "45"), ("4512", "4512"), ("451229", "4512"), ("451228100", "451228")],
    ids=["the region's", "the city's", "a county without an account", "a township has no data office"],
)
def test_it_is_raised_to_the_level_that_received_the_delivery(case_no, office, area, office_at):
    feedback = given(office, case_no)
    with unrecorded():
        Batch.objects.visible_to(EYE).update(area=area)
    assert raising.offices_for([feedback]) == {feedback.pk: office_at}


def test_what_rests_on_no_delivery_we_know_is_raised_to_the_province(case_no, office):
    feedback = given(office, case_no)
    feedback.run_id = None
    assert raising.offices_for([feedback]) == {feedback.pk: "45"}


def test_the_days_until_it_is_raised_are_a_parameter(case_no, office):
    feedback = given(office, case_no)
    notice = Notice(region="45", valid_from=dt.date(2020, 11, 1), source="桂扶办〔2020〕试行")
    set_parameter(office["province"], name=raising.DAYS, value="1", notice=notice)
    with clock.frozen(_after(feedback.due_on, 2)):
        assert raise_unanswered() == Raised(0, 1)
