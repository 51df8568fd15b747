"""Findings → issue in a browser's eyes: who may see what, and what a page says before it acts."""

import copy
import datetime as dt
import re

import pytest
from django.urls import reverse

from tests.comparison.conftest import NEXT_COUNTY, VILLAGE, register
from wanjia.accounts import sessions
from wanjia.audit.testing import unrecorded
from wanjia.casework.models import Case, CaseMove
from wanjia.comparison.models import Run
from wanjia.comparison.panels import household_cases
from wanjia.comparison.queries import Filters
from wanjia.comparison.services import issue_findings, run_comparison
from wanjia.jobs.models import Job
from wanjia.jobs.services import enqueue
from wanjia.kernel import clock
from wanjia.resolution.models import Resolution
from wanjia.scope.system import system_viewer
from wanjia.sources.models import Batch
from wanjia.sources.services import withdraw

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("built")]
EYE = system_viewer("comparison.case")


@pytest.fixture(scope="module")
def built(standing):
    world, office = standing.world, standing.office
    for _ in range(3):
        world.car(world.person(village=VILLAGE), registered_on=dt.date(2013, 5, 1))
    world.car(world.person(village=NEXT_COUNTY), registered_on=dt.date(2018, 5, 1))
    register(world)
    world.publish()
    world.deliver(area="4512")
    return run_comparison(viewer=office["province"])


@pytest.fixture
def run(built):
    """Three findings in one village and one in the next county."""
    return copy.deepcopy(built)


@pytest.fixture
def browse(client, office):
    """A browser signed in as one of the office's people."""

    def sign_in(name):
        client.force_login(office.users[name])
        session = client.session
        session[sessions.STARTED] = session[sessions.SEEN] = clock.now().timestamp()
        session.save()
        return client

    return sign_in


def page_of(run):
    return reverse("comparison:run", args=[run.pk])


def test_the_run_page_has_rules_list_and_the_button_for_all_that_match(run, browse):
    text = browse("province").get(page_of(run)).content.decode()
    assert "下发符合条件的 4 件" in text
    assert re.search(r"RA-02 名下车辆.*?<b class=\"w-num\">3</b>", text, re.DOTALL)
    assert "覃1" not in text, "lists mask names"
    narrowed = browse("province").get(page_of(run), {"rule": "RA-02B"}).content.decode()
    assert "下发符合条件的 1 件" in narrowed


def test_the_run_page_says_how_much_of_the_data_is_about_the_registered(run, browse):
    def resolved(batch, snapshot, matched):
        Resolution.objects.update_or_create(
            batch_id=batch,
            snapshot=snapshot,
            defaults={
                "dataset": used["dataset"], "address": f"{batch}/{snapshot}", "matched": matched, "unmatched": 60,
                "matches": matched, "name_differs": 0, "ambiguous": 0, "resolved_by": 0, "resolved_at": clock.now(),
            },
        )  # fmt: skip

    (used,) = run.batches
    resolved(used["batch"], run.snapshot, 40)
    assert "100 条中 40 条属于登记人口（40%）" in browse("province").get(page_of(run)).content.decode()

    resolved(used["batch"] - 1, "earlier", 540)
    told = browse("province").get(page_of(run)).content.decode()
    assert "上一批为 90%，请核对是否送错文件" in told


def test_a_run_whose_data_was_withdrawn_says_so_wherever_it_is_shown(run, browse):
    browser = browse("province")
    (batch,) = (item["batch"] for item in run.batches)
    issue = reverse("comparison:issue", args=[run.pk])
    for address in (page_of(run), issue):
        assert "后来已撤回" not in browser.get(address).content.decode()
    withdraw(viewer=system_viewer("cli.intake"), batch_id=batch, reason="送错文件")
    for address in (page_of(run), issue, reverse("comparison:finding", args=[run.pk, 1])):
        assert f"第 {batch} 批数据后来已撤回" in browser.get(address).content.decode(), address
    assert "有数据已撤回" in browser.get(reverse("comparison:runs")).content.decode()


def test_how_often_a_rule_held_is_said_with_its_denominator(run, browse):
    base = {"area_code": "451228100", "kind": "suspect", "topic": "RA-02", "on": clock.today()}
    for outcome, n in (("04", 3), ("07", 1)):
        with unrecorded():
            CaseMove(**base, action="confirm", to_step="closed", outcome=outcome, n=n).save()
    text = browse("province").get(page_of(run)).content.decode()
    assert "销号且有结论的 4 件中 3 件属实（75%）" in text


def test_the_button_counts_only_what_nobody_has_screened(run, office, browse):
    issue_findings(viewer=office["province"], run_id=run.pk, filters=Filters(rule="RA-02B"), expected_count=1)
    assert "下发符合条件的 3 件" in browse("province").get(page_of(run)).content.decode()
    assert "下发符合条件的" not in browse("province").get(page_of(run) + "?rule=RA-02B").content.decode()


def test_a_county_sees_its_own_findings_and_cannot_issue(run, browse):
    answer = browse("county").get(page_of(run))
    assert answer.context["page"]["total"] == 3
    assert "下发符合条件的" not in answer.content.decode()
    assert browse("county").get(reverse("comparison:issue", args=[run.pk])).status_code == 403
    assert browse("county").post(reverse("comparison:issue", args=[run.pk]), {"expected": 3}).status_code == 403
    assert not Case.objects.for_writing().exists()


def test_a_guessed_address_widens_nothing(run, browse):
    answer = browse("county").get(page_of(run), {"area": "451229"})
    assert answer.context["page"]["total"] == 0
    foreign = reverse("comparison:finding", args=[run.pk, 4])
    assert browse("county").get(foreign).status_code == 404
    assert browse("county").get(reverse("comparison:finding", args=[run.pk, 99])).status_code == 404


def test_a_finding_is_explained_beside_the_list_and_as_a_page(run, browse):
    address = reverse("comparison:finding", args=[run.pk, 1])
    fragment = browse("county").get(address, headers={"HX-Request": "true"}).content.decode()
    assert "<html" not in fragment
    for text in ("覃1", "2013-05-01", "2015 年识别", "核实要点", "公安厅·机动车登记"):
        assert text in fragment
    assert "<html" in browse("county").get(address).content.decode()


def test_issuing_says_in_numbers_what_will_happen_then_does_it(run, browse):
    address = f"{reverse('comparison:issue', args=[run.pk])}?rule=RA-02"
    text = browse("province").get(address).content.decode()
    assert "下发 3 件到 1 个市，截止 2020-11-17" in text
    assert not Case.objects.for_writing().exists()
    answer = browse("province").post(address, {"expected": "3"}, follow=True)
    assert "已下发 3 件到 1 个市" in answer.content.decode()
    assert Case.objects.for_writing().count() == 3
    again = browse("province").get(address).content.decode()
    assert "符合条件的疑点都已处理" in again


def test_data_withdrawn_between_the_look_and_the_confirmation_stops_the_issue(run, browse):
    browser, address = browse("province"), f"{reverse('comparison:issue', args=[run.pk])}?rule=RA-02"
    told = {"expected": "3", "withdrawn": ""}
    assert 'name="withdrawn" value=""' in browser.get(address).content.decode()
    batch = run.batches[0]["batch"]
    withdraw(viewer=system_viewer("cli.intake"), batch_id=batch, reason="送错文件")
    refused = browser.post(address, told)
    text = refused.content.decode()
    assert (refused.status_code, f"第 {batch} 批数据已撤回" in text) == (409, True)
    assert not Case.objects.for_writing().exists()
    # whoever has read it may issue all the same: most of the run may stand on other data
    assert f'name="withdrawn" value="{batch}"' in text
    browser.post(address, told | {"withdrawn": str(batch)})
    assert Case.objects.for_writing().count() == 3


def test_a_wrong_count_or_a_weekend_comes_back_with_the_reason(run, browse):
    address = reverse("comparison:issue", args=[run.pk])
    answer = browse("province").post(address, {"expected": "9"})
    assert (answer.status_code, "您确认的是 9 条" in answer.content.decode()) == (409, True)
    answer = browse("province").post(address, {"expected": "4", "due_on": "2020-11-21"})
    assert (answer.status_code, "须为今天以后的工作日" in answer.content.decode()) == (422, True)
    assert not Case.objects.for_writing().exists()


def test_a_held_run_is_confirmed_before_anything_is_issued(run, browse):
    with unrecorded():
        Run.objects.filter(pk=run.pk).update(
            status="held", held_for=[{"rule": "RA-02", "permille": 900, "allowed": 100}]
        )
    text = browse("province").get(page_of(run)).content.decode()
    assert "RA-02 命中 900‰，合理上限 100‰" in text
    assert "下发符合条件的" not in text
    assert browse("province").get(reverse("comparison:issue", args=[run.pk])).status_code == 409
    assert browse("county").get(page_of(run)).status_code == 404
    browse("province").post(
        reverse("comparison:decide_held", args=[run.pk]), {"decision": "release", "reason": "已与公安厅核对"}
    )
    assert "下发符合条件的 4 件" in browse("province").get(page_of(run)).content.decode()


def test_the_list_of_runs_is_for_readers_of_findings(run, browse):
    assert "第 1 次比对" in browse("county").get(reverse("comparison:runs")).content.decode() or run.pk != 1
    assert "发起新的比对" not in browse("county").get(reverse("comparison:runs")).content.decode()
    assert browse("verifier").get(reverse("comparison:runs")).status_code == 403


def test_the_sample_page_says_how_many_and_refuses_too_few(run, office, browse):
    issue_findings(viewer=office["province"], run_id=run.pk, filters=Filters(), expected_count=4)
    address = reverse("comparison:sample")
    assert "没有等待抽查的核查件" in browse("city").get(address).content.decode()
    with unrecorded():
        Case.objects.for_writing().update(step="county_closed", outcome="06")
    assert "核查件 4 件" in browse("city").get(address).content.decode()
    answer = browse("city").post(address, {"expected": "4", "percent": "1.0"})
    assert answer.status_code == 422
    assert {case.step for case in Case.objects.for_writing()} == {"county_closed"}
    assert browse("county").get(address).status_code == 403


def test_the_household_page_lists_its_cases_for_whoever_may_see_them(run, office, rf):
    issue_findings(viewer=office["province"], run_id=run.pk, filters=Filters(), expected_count=4)
    request = rf.get("/")
    request.viewer = office["county"]
    assert "名下车辆" in household_cases(request, 1)
    assert household_cases(request, 4) is None, "the next county's household"
    request.viewer = office["next_town"]
    assert household_cases(request, 1) is None


def test_the_pages_speak_english(run, office, browse):
    with unrecorded():
        type(office.users["province"])._base_manager.filter(pk=office.users["province"].pk).update(language="en")
    text = browse("province").get(page_of(run)).content.decode()
    assert "Issue the 4 that match" in text
    body = re.sub(r"<nav.*?</nav>|<header.*?</header>|<table.*?</table>", "", text, flags=re.DOTALL)
    assert "疑点" not in body


def test_a_comparison_asked_for_is_followed_until_its_findings_are_there(run, browse):
    province = browse("province")
    asked = province.post(reverse("comparison:request"))
    again = province.post(reverse("comparison:request"))
    assert asked.url == again.url, "while one waits, no second one is put into the queue"
    assert "正在比对" in province.get(asked.url).content.decode()

    Job.objects.filter(name="comparison.compare").update(state="done", result={"run_id": run.pk})
    assert province.get(asked.url).url == page_of(run)
    assert province.get(asked.url, headers={"HX-Request": "true"}).headers["HX-Redirect"] == page_of(run)


def test_only_comparisons_are_followed_here(run, browse):
    other = enqueue("comparison.run", {"run_id": run.pk}, viewer=system_viewer("jobs.schedule"))
    assert browse("province").get(reverse("comparison:comparing", args=[other.pk])).status_code == 404


def test_a_comparison_without_deliveries_is_refused_at_once(run, browse):
    with unrecorded():
        Batch.objects.visible_to(EYE).delete()
    answer = browse("province").post(reverse("comparison:request"))
    assert answer.status_code == 409
    assert [other.pk for other in Run.objects.all()] == [run.pk]


def test_a_case_whose_record_is_not_kept_can_still_be_opened(run, office, browse):
    """A case names what found it in `origin`; runs and their findings are not kept for ever."""
    issue_findings(viewer=office["province"], run_id=run.pk, filters=Filters(), expected_count=4)
    first = Case.objects.for_writing().earliest("case_no")
    missing = {"run": 987_654, "rule": "RA-02", "findings": [1]}
    for origin in ({}, missing, {**first.origin, "findings": [987_654]}):
        with unrecorded():
            Case.objects.for_writing().filter(pk=first.pk).update(origin=origin)
        answer = browse("city").get(reverse("casework:case", args=[first.pk]))
        assert answer.status_code == 200
        assert "部门记录未保存或已清理" in answer.content.decode()
        assert browse("city").get(reverse("casework:list")).status_code == 200
