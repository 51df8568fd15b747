"""The pages, through the site's own middleware, as the people who use them."""

import io

import pytest
from django.urls import reverse
from PIL import Image

from tests.casework.conftest import TOWN, VILLAGE
from wanjia.accounts import sessions
from wanjia.accounts.models import User
from wanjia.audit.testing import unrecorded
from wanjia.casework import counters
from wanjia.casework.choices import Bar
from wanjia.casework.models import Case, CaseEvent
from wanjia.casework.services import Answer, act
from wanjia.files.models import StoredFile
from wanjia.kernel import clock
from wanjia.scope.system import system_viewer

EYE = system_viewer("casework.evidence")


def row(case_no):
    return Case.objects.for_writing().get(pk=case_no)


def do(viewer, case_no, action, **answer):
    return act(
        viewer=viewer, case_no=case_no, action=action, seen_version=row(case_no).version, answer=Answer(**answer)
    )


def give(browser, case_no, action, version=None, **typed):
    visit = {"visited_on": "2020-11-16", "met": "户主"} if "outcome" in typed else {}
    data = {"action": action, "version": version or row(case_no).version, **visit, **typed}
    return browser.post(reverse("casework:act", args=[case_no]), data)


@pytest.fixture
def with_looker(opened, county, town, looker):
    """The number of a case in the looker's hands."""
    (number,) = opened(7)
    do(county, number, "pass_on")
    do(town, number, "assign", assignee=looker.user_id)
    return number


def photo():
    content = io.BytesIO()
    Image.new("RGB", (64, 48), (200, 180, 150)).save(content, "JPEG")
    content.seek(0)
    content.name = "door.jpg"
    return content


def test_strangers_are_sent_to_sign_in(client, opened):
    (number,) = opened(7)
    for address in (reverse("casework:list"), reverse("casework:case", args=[number])):
        answer = client.get(address)
        assert (answer.status_code, answer.url.split("?")[0]) == (302, "/sign-in/")


def test_the_queue_shows_what_waits_for_me_and_offers_one_click_for_all(opened, county, browse):
    first, _second = opened(7, 8)
    page = browse(county).get(reverse("casework:mine")).content.decode()
    assert f"/cases/{first}/" in page
    assert "第 1 件" not in page or str(first) in page
    assert "pass_on：这 2 件" in page, "all stand in one step"
    assert "step=reported" in page
    page = browse(county).get(reverse("casework:mine"), {"step": "reported"}).content.decode()
    assert "pass_on：这 2 件" in page


def test_over_several_steps_the_list_says_how_to_act_on_many(opened, county, browse):
    first, _second, _third = opened(7, 8, 9)
    with unrecorded():
        Case.objects.for_writing().filter(pk=first).update(step="decided")
    counters.recount()
    page = browse(county).get(reverse("casework:mine")).content.decode()
    assert "要成批办理，请先点下面的一个环节" in page
    assert "pass_on：这" not in page


def test_the_tabs_add_up_to_the_list_in_its_state(opened, county, browse):
    first, second, _third = opened(7, 8, 9)
    with unrecorded():
        Case.objects.for_writing().filter(pk__in=[first, second]).update(due_on="2020-11-02", warn_on="2020-11-01")
        Case.objects.for_writing().filter(pk=second).update(step="decided")
    counters.recount()
    answer = browse(county).get(reverse("casework:list"), {"state": "overdue"})
    tabs = [(tab.title, tab.count) for tab in answer.context["tabs"]]
    assert (answer.context["page"]["total"], tabs) == (2, [("全部", 2), ("已报告", 1), ("待抽查", 1)])
    assert all("state=overdue" in tab.address for tab in answer.context["tabs"])
    assert not browse(county).get(reverse("casework:list"), {"state": "all"}).context["tabs"]


def test_what_narrows_a_list_is_shown_and_can_be_taken_away(opened, county, browse):
    opened(7)
    asked = {"under": TOWN, "state": "overdue", "mine": "0", "topic": "R1"}
    chips = {chip.text: chip.address for chip in browse(county).get(reverse("casework:list"), asked).context["chips"]}
    assert list(chips) == ["规则：R1", f"在{TOWN}及以下办理", "已超期", "不由我办理"]
    assert chips[f"在{TOWN}及以下办理"] == "?topic=R1&state=overdue&mine=0"
    assert chips["已超期"] == f"?topic=R1&under={TOWN}&mine=0"


def test_an_empty_queue_says_why(opened, town, browse):
    opened(7)
    assert "没有等您办理的核查件" in browse(town).get(reverse("casework:mine")).content.decode()


def test_filters_stay_in_the_address_and_pages_are_found_by_key(opened, county, browse):
    opened(*range(1, 61))
    browser = browse(county)
    first = browser.get(reverse("casework:list"), {"topic": "R1"})
    assert first.content.decode().count("w-row-link") == 50
    after = first.context["page"]["next_cursor"]
    second = browser.get(reverse("casework:list"), {"topic": "R1", "after": after})
    assert second.content.decode().count("w-row-link") == 10
    assert second.context["page"]["total"] == 60
    assert browser.get(reverse("casework:list"), {"topic": "R9"}).context["page"]["total"] == 0


@pytest.mark.parametrize(
    "query", ["after=x~y", "after=~", "area=abc", "household=七", "state=odd", "step=<script>", "desk=1"]
)
def test_an_address_that_makes_no_sense_is_a_page_all_the_same(opened, county, browse, query):
    opened(7)
    answer = browse(county).get(f"{reverse('casework:list')}?{query}")
    assert answer.status_code == 200
    assert "<script>alert" not in answer.content.decode()


def test_a_list_page_takes_a_fixed_number_of_queries(opened, county, browse, django_assert_max_num_queries):
    opened(*range(1, 51))
    browser = browse(county)
    with django_assert_max_num_queries(30):
        browser.get(reverse("casework:list"))


def test_a_bulk_act_is_shown_in_numbers_before_it_happens(opened, county, browse):
    opened(1, 2, 3)
    opened(4, area="451228101203")
    browser = browse(county)
    address = f"{reverse('casework:bulk')}?kind=leak&step=reported&action=pass_on"
    page = browser.get(address).content.decode()
    assert "pass_on：4 件，到 2 个单位，截止 2020-11-18" in page
    assert {case.step for case in Case.objects.for_writing()} == {"reported"}
    answer = browser.post(address, {"expected": "4"}, follow=True)
    assert "已办理 4 件" in answer.content.decode()
    assert {case.step for case in Case.objects.for_writing()} == {"at_town"}


def test_a_bulk_act_over_a_changed_list_comes_back_with_the_reason(opened, county, browse):
    opened(1, 2)
    address = f"{reverse('casework:bulk')}?kind=leak&step=reported&action=pass_on"
    answer = browse(county).post(address, {"expected": "5"})
    assert answer.status_code == 409
    assert "您确认的是 5 条" in answer.content.decode()
    assert {case.step for case in Case.objects.for_writing()} == {"reported"}


def test_bulk_assignment_offers_only_who_can_look(opened, county, town, looker, browse):
    for number in opened(1, 2):
        do(county, number, "pass_on")
    address = f"{reverse('casework:bulk')}?kind=leak&step=at_town&action=assign"
    browser = browse(town)
    form = browser.get(address).context["form"]
    assert [name for _, name in form.fields["assignee"].choices] == [
        "—", "分给各人：按联系户、所在村和手上件数（见下表）", "Looker",
    ]  # fmt: skip
    browser.post(address, {"expected": "2", "assignee": str(looker.user_id)})
    assert {case.holder_user_id for case in Case.objects.for_writing()} == {looker.user_id}


@pytest.mark.parametrize("number", [0, -1, 2**31, 2**63 - 1, 2**63, 10**30])
def test_a_made_up_assignee_is_refused_whatever_the_number(opened, county, town, browse, number):
    (case_no,) = opened(1)
    do(county, case_no, "pass_on")
    address = reverse("casework:act", args=[case_no])
    answer = browse(town).post(address, {"action": "assign", "version": "2", "assignee": str(number)})
    assert answer.status_code == 422
    assert row(case_no).step == "at_town"


def test_nobody_gets_a_bulk_page_for_what_he_may_not_do(opened, town, browse):
    opened(1)
    assert browse(town).get(f"{reverse('casework:bulk')}?step=reported&action=pass_on").status_code == 403


def test_the_case_page_reads_top_down(opened, county, town, looker, browse):
    first, second = opened(7, 7 + 1)
    do(county, first, "pass_on")
    do(town, first, "assign", assignee=looker.user_id)
    page = browse(looker).get(reverse("casework:case", args=[first])).content.decode()
    for text in ("R1 漏雨吗?", "上楼看看", "wet 属实", "dry 不属实", "2020-11-25", "立件"):
        assert text in page
    assert f"/cases/{second}/" not in page
    assert page.index("R1 漏雨吗?") < page.index("上楼看看") < page.index("立件")


def test_who_may_not_act_reads_why(opened, county, town, looker, browse):
    (number,) = opened(7)
    page = browse(town).get(reverse("casework:case", args=[number]))
    assert page.status_code == 200
    assert "现在轮不到您办理" in page.content.decode()
    assert "pass_on：该由451228的leak_county办理" in page.content.decode()
    assert "您可以这样办理" not in page.content.decode()


def test_a_foreign_case_and_no_case_look_alike(opened, people, browse):
    (number,) = opened(7)
    stranger = people.viewer(people.add("stranger", "leak_town", "451228101"))
    browser = browse(stranger)
    foreign, missing = (browser.get(reverse("casework:case", args=[no])) for no in (number, 99_999))
    assert foreign.status_code == missing.status_code == 404
    for address in (reverse("casework:act", args=[number]), reverse("casework:evidence", args=[number])):
        assert browser.post(address).status_code == 404


def test_an_answer_moves_the_case_and_turns_to_the_next(opened, county, browse):
    first, second = opened(7, 8)
    browser = browse(county)
    answer = give(browser, first, "pass_on")
    assert (answer.status_code, answer.url) == (302, f"/cases/{second}/")
    assert row(first).step == "at_town"
    page = browser.get(answer.url).content.decode()
    assert f"核查件 {first} 已办理：pass_on，现为“到乡镇”。 现在显示的是下一件：核查件 {second}。" in page


def test_an_assignment_is_confirmed_by_name(opened, county, town, looker, browse):
    (number,) = opened(7)
    do(county, number, "pass_on")
    browser = browse(town)
    page = browser.get(give(browser, number, "assign", assignee=looker.user_id).url).content.decode()
    assert f"核查件 {number} 已指派给Looker。 没有别的核查件等您办理了。" in page


def test_a_refused_answer_keeps_what_was_typed(opened, county, town, looker, browse):
    (number,) = opened(7)
    do(county, number, "pass_on")
    do(town, number, "assign", assignee=looker.user_id)
    answer = give(browse(looker), number, "look", outcome="wet", note="三处漏水，已拍照")
    page = answer.content.decode()
    assert answer.status_code == 422
    assert "还缺少：证明材料" in page
    assert "三处漏水，已拍照" in page
    assert 'value="wet" required checked' in page


def test_a_photo_is_filed_and_lets_the_answer_through(opened, county, town, looker, browse):
    (number,) = opened(7)
    do(county, number, "pass_on")
    do(town, number, "assign", assignee=looker.user_id)
    browser = browse(looker)
    browser.post(reverse("casework:evidence", args=[number]), {"evidence": photo()})
    stored = StoredFile.objects.visible_to(EYE).get()
    assert (stored.owner_kind, stored.case_no, stored.area) == ("case", number, VILLAGE)
    give(browser, number, "look", outcome="wet", note="漏水", checked=["上楼看看"])
    assert row(number).step == "to_mend"


def test_photos_are_sent_with_the_answer(with_looker, looker, browse):
    give(browse(looker), with_looker, "look", outcome="wet", note="漏水", evidence=[photo(), photo()])
    assert row(with_looker).step == "to_mend"
    assert StoredFile.objects.visible_to(EYE).exists()


def test_an_answer_says_when_and_whom_as_in_every_other_channel(with_looker, looker, browse):
    browser = browse(looker)
    page = browser.get(reverse("casework:case", args=[with_looker])).content.decode()
    assert 'name="visited_on" max="2020-11-16" value="2020-11-16" required' in page
    assert 'name="met"' in page
    for typed, told in (
        ({"met": " "}, "还缺少：见到何人"),
        ({"visited_on": ""}, "还缺少：入户日期"),
        ({"visited_on": "2020-11-17"}, "入户日期 2020-11-17 不可用"),
        ({"visited_on": "2020-11-01"}, "入户日期 2020-11-01 不可用"),
    ):
        refused = give(browser, with_looker, "look", outcome="dry", note="完好", **typed)
        assert (refused.status_code, row(with_looker).step) == (422, "with_looker")
        assert told in refused.content.decode()
        assert 'value="dry" required checked' in refused.content.decode()
    give(browser, with_looker, "look", outcome="dry", note="完好")
    told = CaseEvent.objects.of(row(with_looker)).get(action="look").data["visit"]
    assert told == {"on": "2020-11-16", "met": "户主"}


def test_photos_saved_first_leave_the_answer_begun_beside_them(with_looker, looker, browse):
    begun = {"action": "look", "version": row(with_looker).version, "note": "三处漏水", "outcome": "wet"}
    address = reverse("casework:evidence", args=[with_looker])
    page = browse(looker).post(address, {**begun, "checked": "上楼看看", "evidence": photo()}).content.decode()
    for text in ("三处漏水", 'value="wet" required checked', 'value="上楼看看" checked', "本环节已保存 1 个文件"):
        assert text in page


def test_a_refused_photo_keeps_the_answer_and_the_good_photos(with_looker, looker, browse):
    wrong = io.BytesIO(b"MZ this is a program")
    wrong.name = "door.jpg"
    answer = give(browse(looker), with_looker, "look", outcome="wet", note="三处漏水", evidence=[photo(), wrong])
    page = answer.content.decode()
    assert (answer.status_code, row(with_looker).step) == (415, "with_looker")
    for text in ("三处漏水", 'value="wet" required checked', "本环节已保存 1 个文件"):
        assert text in page


def test_proof_with_an_answer_that_came_too_late_is_not_kept(with_looker, looker, browse):
    answer = give(browse(looker), with_looker, "look", version=1, outcome="wet", note="漏水", evidence=photo())
    assert answer.status_code == 409
    assert not StoredFile.objects.visible_to(EYE).exists()


def test_the_address_of_an_answer_leads_to_its_case(with_looker, looker, browse):
    browser = browse(looker)
    for name in ("act", "evidence"):
        answer = browser.get(reverse(f"casework:{name}", args=[with_looker]))
        assert (answer.status_code, answer.url) == (302, f"/cases/{with_looker}/")
    refused = give(browser, with_looker, "look", outcome="wet", note="三处漏水").content.decode()
    assert f'name="next" value="/cases/{with_looker}/"' in refused


def test_an_answer_after_the_session_ended_is_said_to_be_lost(with_looker, looker, browse):
    browser = browse(looker)
    session = browser.session
    session[sessions.SEEN] = clock.now().timestamp() - 3600
    session.save()
    page = f"http://testserver/cases/{with_looker}/"
    data = {"action": "look", "version": row(with_looker).version, "outcome": "dry", "note": "完好"}
    asked = browser.post(reverse("casework:act", args=[with_looker]), data, headers={"referer": page})
    assert asked.url == f"/sign-in/?next=/cases/{with_looker}/&lost=1"
    assert "您的登录已过期，刚才填写的内容没有提交" in browser.get(asked.url).content.decode()
    assert row(with_looker).step == "with_looker"


@pytest.mark.parametrize(("origin", "led_back"), [("http://testserver", True), ("http://elsewhere.example", False)])
def test_a_page_that_stood_too_long_leads_back_to_itself(with_looker, looker, browse, origin, led_back):
    browser = browse(looker)
    browser.handler.enforce_csrf_checks = True
    page = f"{origin}/cases/{with_looker}/"
    answer = browser.post(reverse("casework:act", args=[with_looker]), {"note": "完好"}, headers={"referer": page})
    assert answer.status_code == 403
    assert (f'href="/cases/{with_looker}/"' in answer.content.decode()) is led_back
    assert origin not in answer.content.decode()


def test_what_is_no_picture_is_refused_and_the_case_stays(opened, county, town, looker, browse):
    (number,) = opened(7)
    do(county, number, "pass_on")
    do(town, number, "assign", assignee=looker.user_id)
    wrong = io.BytesIO(b"MZ this is a program")
    wrong.name = "door.jpg"
    answer = browse(looker).post(reverse("casework:evidence", args=[number]), {"evidence": wrong})
    assert 400 <= answer.status_code < 500
    assert not StoredFile.objects.visible_to(EYE).exists()


def test_only_whose_turn_it_is_files_evidence(opened, county, browse):
    (number,) = opened(7)
    assert browse(county).post(reverse("casework:evidence", args=[number]), {"evidence": photo()}).status_code == 403


def test_who_comes_second_meets_a_friendly_page_with_his_text(opened, county, town, decider, looker, browse):
    (number,) = opened(7)
    do(county, number, "pass_on")
    do(town, number, "assign", assignee=looker.user_id)
    version = row(number).version
    do(looker, number, "look", outcome="dry", note="完好")
    answer = give(browse(looker), number, "look", version=version, outcome="dry", note="我写了很久的说明")
    page = answer.content.decode()
    assert answer.status_code == 409
    for text in ("已由Looker于 2020-11-16 09:00 办理", "待复核", "我写了很久的说明"):
        assert text in page


def test_the_list_of_people_says_who_cannot_and_why(opened, county, town, looker, people, roofs, browse):
    (number,) = opened(7)
    do(county, number, "pass_on")
    cousin = people.add("cousin", "leak_looker", TOWN)
    roofs.bars[cousin.pk, 7] = Bar.RELATIVE
    page = browse(town).get(reverse("casework:case", args=[number])).content.decode()
    assert "与该户有亲属关系" in page
    assert f'value="{cousin.pk}" required disabled' in page


def test_fields_nobody_declared_change_nothing(opened, county, browse):
    (number,) = opened(7)
    give(browse(county), number, "pass_on", step="closed", assignee="1", holder_area="45", closed_at="2020-01-01")
    case = row(number)
    assert (case.step, case.holder_area, case.closed_at) == ("at_town", TOWN, None)


def test_the_pages_speak_english(opened, county, browse):
    (number,) = opened(7)
    with unrecorded():
        User.objects.visible_to(system_viewer("accounts.sign_in")).filter(pk=county.user_id).update(language="en")
    text = browse(county).get(reverse("casework:case", args=[number])).content.decode()
    assert "What you can do" in text
    assert "您可以这样办理" not in text
