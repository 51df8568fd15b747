"""What a true suspect changes, for every rule: verified, proposed, reviewed, decided, and no longer suspected."""

from __future__ import annotations

import copy
import datetime as dt
import io
import json
import re

import openpyxl
import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse

from tests.comparison.suspects import EYE, LEFT_OUT, NAMES, RIGHT, delivered, issued, village
from tests.comparison.test_flow import do, down_to_town, photograph, row
from tests.comparison.test_pages import browse  # noqa: F401 - a fixture
from wanjia.audit.queries import verify_event
from wanjia.audit.testing import unrecorded
from wanjia.casework.errors import CaseMovedOn
from wanjia.casework.models import Case, CaseEvent
from wanjia.casework.services import Answer, act
from wanjia.comparison import again
from wanjia.comparison.choices import CORRECTIONS, FITS
from wanjia.comparison.corrections.kinds import KINDS
from wanjia.comparison.errors import CorrectionNotPossible
from wanjia.comparison.flows.callbacks import SuspectCallbacks
from wanjia.comparison.queries import each_finding
from wanjia.comparison.services import compare_now
from wanjia.reference import queries as reference
from wanjia.reference.models import Code, Revision
from wanjia.reference.services import load_reference
from wanjia.registry.models import Change, Household, Membership, Person, PersonAlias, PersonYear
from wanjia.registry.services import Leaving, remove_members
from wanjia.ruleset.packs import load_rules
from wanjia.scope.keys import keyring

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("built")]


@pytest.fixture(scope="module")
def built(standing, tmp_path_factory):
    made = village(standing.world)
    delivered(made, tmp_path_factory.mktemp("deliveries"))
    issued(made, standing.office)
    down_to_town(standing.office)
    return made


@pytest.fixture
def suspects(built):
    """The village; every case is in the township's hands."""
    return copy.deepcopy(built)


def proposals(made):
    """The verdict and the correction of each rule's case."""
    wife, son = made.people["RB-04妻"], made.people["RB-04子"]
    return {
        "RA-01": ("04", {"change": "T5"}),
        "RA-02": ("01", {"change": "identified", "identified_year": "2013"}),
        "RA-02B": ("03", {"change": "T3", "exit_year": "2020"}),
        "RA-04": ("04", {"change": "T5"}),
        "RA-05": ("04", {"change": "T5"}),
        "RB-01": ("01", {"change": "number", "id_number": RIGHT["RB-01"]}),
        "RB-02": ("01", {"change": "name", "name": "黄别人"}),
        "RB-03": ("02", {"change": "number", "id_number": RIGHT["RB-03"]}),
        "RB-04": (
            "01",
            {"change": "died", "died_on": "2020-03-01", f"head_{made.home('RB-04')}": str(wife), f"relation_{son}": "03"},
        ),
        "RB-05": ("01", {"change": "left", "change_reason": "R3", "left_on": "2019-07-01"}),
        "RB-06": ("01", {"change": "keep", "keep": str(made.people["RB-06"])}),
        "RB-07": (
            "01",
            {
                "change": "added", "name": "韦小宝", "id_number": LEFT_OUT, "relation": "07", "change_reason": "N1",
                "joined_on": "2018-02-03",
            },
        ),
        "RB-07B": ("01", {"change": "relation", "relation": "24"}),
        "RC-01": ("01", {"change": "dibao", "on": "true", "household_category": "04"}),
        "RC-01B": ("02", {"change": "dibao", "on": "false"}),
        "RC-02": ("01", {"change": "tekun", "on": "true"}),
        "RC-02B": ("01", {"change": "tekun", "on": "false"}),
        "RC-04": ("01", {"change": "health", "health": "02,04", "disability_type": "4", "disability_grade": "2"}),
        "RC-04B": ("01", {"change": "health", "health": "02"}),
    }  # fmt: skip


def verified(office, case_no, outcome):
    do(office["town"], case_no, "assign", assignee=office["verifier"].user_id)
    photograph(office["verifier"], case_no)
    return do(office["verifier"], case_no, "verify", outcome=outcome, note="入户核对，属实。")


def decided(office, case_no, outcome, correction):
    verified(office, case_no, outcome)
    do(office["operator"], case_no, "correct", correction=correction)
    do(office["town"], case_no, "review")
    return do(office["county"], case_no, "decide")


def person(made, name):
    return Person.objects.visible_to(EYE).get(pk=made.people[name])


def stay(made, name):
    return Membership.objects.visible_to(EYE).get(person_no=made.people[name], latest=True)


def home(made, name):
    return Household.objects.visible_to(EYE).get(pk=made.home(name))


def year(made, name):
    return PersonYear.objects.visible_to(EYE).filter(person_no=made.people[name]).order_by("-year").first()


def test_for_every_rule_the_correction_is_written_and_the_rule_no_longer_fires(suspects, office):
    made = suspects
    assert set(made.cases) == set(NAMES)
    for rule, (outcome, correction) in proposals(made).items():
        decided(office, made.cases[rule], outcome, correction)

    for rule in ("RA-01", "RA-04", "RA-05"):
        assert (home(made, rule).standing, stay(made, rule).member_status) == ("removed", "10")
    assert home(made, "RA-02").identified_year == 2013
    assert (home(made, "RA-02B").poverty_status, home(made, "RA-02B").exit_year) == ("1", 2020)
    for rule, right in RIGHT.items():
        held = person(made, rule)
        assert (held.id_number.clear(), held.id_valid, held.birth_date) == (right, True, dt.date(1976, 2, 29))
        assert held.person_key == keyring().person_key(right)
    assert (person(made, "RB-02").name, person(made, "RB-02").name_match) == ("黄别人", "黄别人")
    told = SuspectCallbacks().describe(row(made.cases["RB-02"]), office["county"], "zh")
    assert told.question.startswith("黄别人（比对时为 "), "what the sentence speaks of is the name of then"
    assert [(fact.theirs, fact.differs) for fact in told.facts if fact.label == "姓名"] == [("黄别人", True)]
    dead = stay(made, "RB-04")
    assert (dead.member_status, dead.change_reason, dead.left_on) == ("2", "R1", dt.date(2020, 3, 1))
    assert (home(made, "RB-04").head_person_no, stay(made, "RB-04妻").relation) == (made.people["RB-04妻"], "01")
    assert (stay(made, "RB-05").member_status, home(made, "RB-05").member_count) == ("3", 1)
    assert (stay(made, "RB-06").member_status, stay(made, "RB-06再次").member_status) == ("1", "9")
    assert PersonAlias.objects.get(old_no=made.people["RB-06再次"]).new_no == made.people["RB-06"]
    assert home(made, "RB-06再次").standing == "cancelled", "nobody is left in it"
    child = Person.objects.visible_to(EYE).get(person_key=keyring().person_key(LEFT_OUT))
    assert (child.name, child.household_no, home(made, "RB-07").member_count) == ("韦小宝", made.home("RB-07"), 2)
    assert stay(made, "RB-07B").relation == "24"
    assert (year(made, "RC-01").on_dibao, home(made, "RC-01").household_category) == (True, "04")
    assert (year(made, "RC-01").year, year(made, "RC-01").health) == (2020, "02"), "the year begins with what was known"
    assert year(made, "RC-01B").on_dibao is False
    assert (year(made, "RC-02").on_tekun, year(made, "RC-02").on_dibao) == (True, False), "one excludes the other"
    assert year(made, "RC-02B").on_tekun is False
    health = year(made, "RC-04")
    assert (health.health, health.disability_type, health.disability_grade) == ("02,04", "4", "2")
    assert (year(made, "RC-04B").health, year(made, "RC-04B").disability_type) == ("02", "")

    for rule, case_no in made.cases.items():
        changes = list(Change.objects.visible_to(EYE).filter(case_no=case_no))
        assert changes, rule
        assert {change.by_user for change in changes} == {office["county"].user_id}
        assert verify_event(changes[0].event_id).true, rule
        assert all(verify_event(event.event_id).true for event in CaseEvent.objects.of(row(case_no)))

    found = again.reexamine(list(Case.objects.for_writing()))
    alone = {rule: found[case_no].again for rule, case_no in made.cases.items()}
    assert alone == dict.fromkeys(NAMES, False)
    run = compare_now(viewer=office["province"])
    still = {(item.rule, item.person_no) for item in each_finding(office["province"], run.pk)}
    asked = {(rule, row(case_no).origin["person_no"]) for rule, case_no in made.cases.items()}
    assert not still & asked


def test_what_cannot_be_is_refused_with_its_reason_and_nothing_is_lost(suspects, office):
    made = suspects
    proposed = proposals(made)
    wrong = RIGHT["RB-01"][:17] + ("1" if RIGHT["RB-01"][17] != "1" else "2")
    for rule in ("RB-01", "RB-04", "RB-06", "RB-07", "RC-01", "RC-04"):
        verified(office, made.cases[rule], proposed[rule][0])
    refused = [
        ("RB-01", {"change": "T5"}, "没有这种整改方式"),
        ("RB-01", {"change": "died", "died_on": "2020-03-01"}, "没有这种整改方式"),
        ("RB-01", {"change": "field", "field": "hamlet", "new": "下屯"}, "没有这种整改方式"),
        ("RB-01", {"change": "nothing"}, "没有选择整改方式"),
        ("RB-01", {"change": "number"}, "没有填写“证件号码”"),
        ("RB-01", {"change": "number", "id_number": wrong}, "校验位不对"),
        ("RB-01", {"change": "number", "id_number": "459999760229001"}, "15 位"),
        ("RB-01", {"change": "number", "id_number": made.number("RC-01")}, "已登记在另一人名下"),
        ("RB-01", {"change": "number", "id_number": RIGHT["RB-01"], "name": "多余"}, "没有的内容"),
        ("RB-04", proposed["RB-04"][1] | {"died_on": "2031-01-01"}, "在今天以后"),
        ("RB-04", proposed["RB-04"][1] | {"died_on": "去年"}, "2020-11-16"),
        ("RB-04", {"change": "died", "died_on": "2020-03-01"}, "没有填写“RB-04离户后的新户主”"),
        ("RB-04", proposed["RB-04"][1] | {f"relation_{made.people['RB-04子']}": "77"}, "没有这个选项"),
        ("RB-06", {"change": "keep", "keep": "1"}, "没有这个选项"),
        ("RB-07", proposed["RB-07"][1] | {"relation": "01"}, "没有这个选项"),
        ("RB-07", proposed["RB-07"][1] | {"change_reason": "R1"}, "没有这个选项"),
        ("RB-07", proposed["RB-07"][1] | {"id_number": made.number("RC-02")}, "已登记在另一人名下"),
        ("RC-01", {"change": "dibao", "on": "maybe"}, "没有这个选项"),
        ("RC-01", {"change": "dibao", "on": "true", "household_category": "77"}, "没有这个选项"),
        ("RC-04", {"change": "health", "health": "02"}, "与现有登记相同"),
        ("RC-01", {"change": "measure", "measure": "话" * 501}, "过长"),
        ("RC-04", {"change": "health", "health": "04"}, "残疾类别和等级"),
        ("RC-04", {"change": "health", "health": "01,04"}, "没有这个选项"),
        (
            "RC-04",
            {"change": "health", "health": "04", "disability_type": "8", "disability_grade": "1"},
            "没有这个选项",
        ),
    ]
    for rule, correction, told in refused:
        with pytest.raises(CorrectionNotPossible) as refusal:
            do(office["operator"], made.cases[rule], "correct", correction=correction)
        assert told in refusal.value.sentences("zh")[0], (rule, correction)
        assert row(made.cases[rule]).step == "verified"


def test_a_member_who_has_left_does_not_leave_again_and_the_second_decision_finds_it_done(suspects, office):
    made = suspects
    leaves = {"change": "left", "change_reason": "R2", "left_on": "2019-07-01"}
    verified(office, made.cases["RB-05"], "01")
    do(office["operator"], made.cases["RB-05"], "correct", correction=leaves)
    do(office["town"], made.cases["RB-05"], "review")
    gone = [Leaving(made.people["RB-05"], "3", "R3", dt.date(2019, 7, 1))]
    remove_members(viewer=EYE, household_no=made.home("RB-05"), leaving=gone, reason="窗口期已办理")
    do(office["county"], made.cases["RB-05"], "decide")
    assert CaseEvent.objects.of(row(made.cases["RB-05"])).get(action="decide").data["already"] == "left"
    assert stay(made, "RB-05").change_reason == "R3"

    verified(office, made.cases["RB-07B"], "01")
    gone = [Leaving(made.people["RB-07B"], "3", "R3", dt.date(2019, 7, 1))]
    remove_members(viewer=EYE, household_no=made.home("RB-07B"), leaving=gone, reason="窗口期已办理")
    for correction in (leaves, {"change": "relation", "relation": "24"}):
        with pytest.raises(CorrectionNotPossible) as refusal:
            do(office["operator"], made.cases["RB-07B"], "correct", correction=correction)
        assert "已不是在户成员" in refusal.value.sentences("zh")[0]


def test_of_two_who_decide_at_once_the_second_is_told_and_nothing_is_written_twice(suspects, office):
    made = suspects
    case_no = made.cases["RB-07"]
    verified(office, case_no, "01")
    do(office["operator"], case_no, "correct", correction=proposals(made)["RB-07"][1])
    do(office["town"], case_no, "review")
    seen = row(case_no).version
    act(viewer=office["county"], case_no=case_no, action="decide", seen_version=seen, answer=Answer())
    with pytest.raises(CaseMovedOn):
        act(viewer=office["second_county"], case_no=case_no, action="decide", seen_version=seen, answer=Answer())
    assert home(made, "RB-07").member_count == 2


def test_an_identity_number_is_kept_sealed_until_it_is_written_and_nowhere_after(suspects, office):
    made, right = suspects, RIGHT["RB-01"]
    case_no = made.cases["RB-01"]
    verified(office, case_no, "01")
    do(office["operator"], case_no, "correct", correction={"change": "number", "id_number": right})

    proposed = row(case_no)
    assert proposed.proposal == {"change": "number", "id_number": "****"}
    assert json.loads(proposed.proposal_sealed.clear()) == {"id_number": right}
    event = CaseEvent.objects.of(proposed).get(action="correct")
    assert right not in json.dumps(event.payload())
    for reader in ("town", "county"):
        told = SuspectCallbacks().describe(row(case_no), office[reader], "zh")
        assert right not in str(told)
        assert f"RB-01 · 证件号码:空 → {right[:6]}********{right[-4:]}" in told.changes
    do(office["town"], case_no, "send_back", reason="照片看不清")
    assert (row(case_no).proposal, row(case_no).proposal_sealed) == (None, None)
    photograph(office["verifier"], case_no)
    do(office["verifier"], case_no, "verify", outcome="01", note="已重拍。")
    do(office["operator"], case_no, "correct", correction={"change": "number", "id_number": right})
    do(office["town"], case_no, "review")
    do(office["county"], case_no, "decide")
    assert row(case_no).proposal_sealed is None
    assert person(made, "RB-01").id_number.clear() == right


def test_the_page_shows_before_and_after_in_words_and_afterwards_what_was_written(suspects, office):
    made = suspects
    case_no = made.cases["RC-01"]
    verified(office, case_no, "01")
    [offered] = [choice for choice in SuspectCallbacks().corrections(row(case_no), "zh") if choice.code == "dibao"]
    assert [(field.name, field.usual) for field in offered.fields] == [("on", "true"), ("household_category", "")]
    do(office["operator"], case_no, "correct", correction=proposals(made)["RC-01"][1])
    told = SuspectCallbacks().describe(row(case_no), office["town"], "zh")
    assert told.change.startswith("更正低保登记。")
    assert told.changes == (
        "RC-01 · 享受低保:空 → 是", "贫困户属性:一般贫困户(01) → 低保贫困户(04)",
    )  # fmt: skip
    told = SuspectCallbacks().describe(row(case_no), office["town"], "en")
    assert "RC-01 · Minimum living allowance: nothing → yes" in told.changes
    do(office["town"], case_no, "review")
    do(office["county"], case_no, "decide")
    told = SuspectCallbacks().describe(row(case_no), office["county"], "zh")
    assert "RC-01 · 享受低保 (2020):空 → 是" in told.changes
    assert "贫困户属性:一般贫困户(01) → 低保贫困户(04)" in told.changes


def test_what_a_rule_offers_is_data_that_the_code_list_may_end(suspects, office):
    made = suspects
    verified(office, made.cases["RB-05"], "01")
    offered = [choice.code for choice in SuspectCallbacks().corrections(row(made.cases["RB-05"]), "zh")]
    assert offered == ["left", "died", "measure"]
    with unrecorded():
        Code.objects.filter(code_list_id=CORRECTIONS, code="died").update(valid_to=dt.date(2020, 1, 1))
        Revision.objects.update_or_create(pk=1, defaults={"token": "ended"})
    reference.look_again()
    offered = [choice.code for choice in SuspectCallbacks().corrections(row(made.cases["RB-05"]), "zh")]
    assert offered == ["left", "measure"]


def test_a_verdict_the_rule_has_no_correction_for_has_its_own(suspects, office):
    """Whoever went to look at a number may find that the household should never have been registered."""
    made = suspects
    verified(office, made.cases["RB-01"], "04")
    assert [choice.code for choice in SuspectCallbacks().corrections(row(made.cases["RB-01"]), "zh")] == ["T5"]


def test_every_rule_offers_known_corrections_and_one_for_each_true_verdict_it_may_have():
    load_reference()
    reference.look_again()
    book = reference.code_list(CORRECTIONS)
    for rule in load_rules():
        assert set(rule.corrections) <= {kind.value for kind in KINDS} & set(book.items), rule.id
        fits = {outcome for code in rule.corrections for outcome in book.trait(code, FITS)}
        assert fits >= set(rule.possible_outcomes) & {"01", "02", "03", "04"}, rule.id
    assert {code.value for code in KINDS} == set(book.items)


def test_the_page_asks_in_types_and_takes_what_is_posted(suspects, office, browse):  # noqa: F811
    """A number that is refused comes back as typed to him who typed it; a browser keeps no draft of it."""
    made, case_no = suspects, suspects.cases["RB-01"]
    verified(office, case_no, "01")
    browser = browse("operator")
    page = browser.get(reverse("casework:case", args=[case_no])).content.decode()
    [field] = re.findall(r'<input[^>]*name="correction.number.id_number"[^>]*>', page)
    assert "data-no-draft" in field
    assert 'autocomplete="off"' in field
    sent = {"action": "correct", "version": row(case_no).version, "correction.change": "number"}
    wrong = RIGHT["RB-01"][:17] + ("1" if RIGHT["RB-01"][17] != "1" else "2")
    address = reverse("casework:act", args=[case_no])
    refused = browser.post(address, {**sent, "correction.number.id_number": wrong})
    assert (refused.status_code, wrong in refused.content.decode()) == (422, True)
    assert "校验位不对" in refused.content.decode()
    browser.post(address, {**sent, "correction.number.id_number": RIGHT["RB-01"]})
    assert row(case_no).step == "corrected"
    page = browse("town").get(reverse("casework:case", args=[case_no])).content.decode()
    assert RIGHT["RB-01"] not in page
    assert f"{RIGHT['RB-01'][:6]}********{RIGHT['RB-01'][-4:]}" in page
    verified(office, made.cases["RC-04"], "01")
    page = browse("operator").get(reverse("casework:case", args=[made.cases["RC-04"]])).content.decode()
    assert '<option value="02,04" selected>' in page, "what is registered, and what the certificate says"


def test_in_excel_each_part_of_a_correction_has_a_column_with_its_list(suspects, office, browse):  # noqa: F811
    """What asks for an identity number, or for a new head, is answered on the page."""
    made = suspects
    for rule in ("RB-01", "RB-02", "RB-04", "RB-05", "RC-01", "RC-04"):
        verified(office, made.cases[rule], proposals(made)[rule][0])
    book = openpyxl.load_workbook(io.BytesIO(_form(browse("operator"))))
    sheet = book.worksheets[0]
    where = {cell.value: cell.column_letter for cell in sheet[1]}
    rows = {cell.value: cell.row for cell in sheet[where["核查件编号"]]}
    validated = {
        str(each.sqref).split(":")[0].rstrip("0123456789"): each for each in sheet.data_validations.dataValidation
    }
    for title in ("离户原因", "享受低保", "贫困户属性", "健康状况", "残疾类别", "残疾等级"):
        assert validated[where[title]].type == "list", title
    for title in ("去世日期", "离户日期"):
        assert validated[where[title]].type == "date", title
    assert "证件号码" not in where
    typed = {
        "RB-01": {"整改方式": "number 更正证件号码"},
        "RB-02": {"整改方式": "name 更正姓名", "更正后的姓名": "黄别人"},
        "RB-04": {"整改方式": "died 登记死亡，核减成员", "去世日期": dt.date(2020, 3, 1)},
        "RB-05": {"整改方式": "left 登记离户，核减成员", "离户原因": "R3 户籍迁出", "离户日期": dt.date(2019, 7, 1)},
        "RC-01": {"整改方式": "dibao", "享受低保": "是", "贫困户属性": "04 低保贫困户"},
        "RC-04": {
            "整改方式": "health 更正健康和残疾状况", "健康状况": "02,04 长期慢性病、残疾", "残疾类别": "4 肢体", "残疾等级": "2",
        },
    }  # fmt: skip
    for rule, cells in typed.items():
        for title, value in cells.items():
            sheet[f"{where[title]}{rows[made.cases[rule]]}"] = value
    page = _sent(browse("operator"), book)
    told = "".join(why for _row, _who, why in page.context["refused"])
    assert page.context["good_n"] == 4, told
    assert told.count("请在该件页面办理") == 2
    browse("operator").post(reverse("casework:answers_apply"), {"token": page.context["sheet"].token})
    for rule in ("RB-02", "RB-05", "RC-01", "RC-04"):
        assert row(made.cases[rule]).proposal == proposals(made)[rule][1], rule

    wrong = openpyxl.load_workbook(io.BytesIO(_form(browse("operator"), refused=True)))
    assert "去世日期" in [cell.value for cell in wrong.worksheets[0][1]], "what was typed comes back with its column"


def test_in_excel_a_code_that_is_none_and_a_day_to_come_are_told_by_column(suspects, office, browse):  # noqa: F811
    made = suspects
    for rule in ("RB-05", "RC-04"):
        verified(office, made.cases[rule], "01")
    book = openpyxl.load_workbook(io.BytesIO(_form(browse("operator"))))
    sheet = book.worksheets[0]
    where = {cell.value: cell.column_letter for cell in sheet[1]}
    rows = {cell.value: cell.row for cell in sheet[where["核查件编号"]]}
    typed = {
        "RB-05": {"整改方式": "left", "离户原因": "R3", "离户日期": "2031-01-01"},
        "RC-04": {"整改方式": "health", "健康状况": "07"},
    }
    for rule, cells in typed.items():
        for title, value in cells.items():
            sheet[f"{where[title]}{rows[made.cases[rule]]}"] = value
    refused = {row: why for row, _who, why in _sent(browse("operator"), book).context["refused"]}
    assert "离户日期" in refused[rows[made.cases["RB-05"]]]
    assert "健康状况" in refused[rows[made.cases["RC-04"]]]
    assert "下拉列表" in refused[rows[made.cases["RC-04"]]]


def _form(browser, *, refused=False) -> bytes:
    name = "casework:answers_rejects" if refused else "casework:answers_form"
    return b"".join(browser.get(reverse(name)).streaming_content)


def _sent(browser, book):
    out = io.BytesIO()
    book.save(out)
    browser.post(reverse("casework:answers_upload"), {"sheet": SimpleUploadedFile("x.xlsx", out.getvalue())})
    return browser.get(reverse("casework:answers"))


def test_run_again_for_one_case_every_rule_says_what_a_whole_run_says(suspects, office):
    """Before anything is corrected each is suspected still, whoever it looks for."""
    found = again.reexamine(list(Case.objects.for_writing()))
    assert {rule: found[case_no].again for rule, case_no in suspects.cases.items()} == dict.fromkeys(NAMES, True)
    assert all(answer.facts["new"] == 0 for answer in found.values())
