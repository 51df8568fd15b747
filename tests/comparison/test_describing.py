"""A finding in words: amounts in yuan, labels for codes, other people's names as far as one may read them."""

import datetime as dt
import json

import pytest

from tests.comparison.conftest import VILLAGE, register
from wanjia.comparison.describing import described
from wanjia.comparison.documents import RunRule, ShownAs, document_of
from wanjia.comparison.queries import Finding
from wanjia.reference.services import load_reference
from wanjia.ruleset.binding import bind
from wanjia.ruleset.packs import load_rules

pytestmark = pytest.mark.django_db
DAY = dt.date(2020, 11, 16)


@pytest.fixture
def tell(world, office):
    load_reference()
    world.person(village=VILLAGE, name="韦大明")
    register(world)

    def told(rule_id, evidence, viewer=office["town"], language="zh"):
        rule = next(rule for rule in load_rules() if rule.id == rule_id)
        as_run = RunRule.of(json.loads(json.dumps(document_of(bind(rule, region="45", on=DAY)))))
        finding = Finding(1, 1, rule_id, 1, 1, VILLAGE, rule.dataset, 7, 12, json.dumps(evidence), "0" * 64)
        return described(finding, as_run, viewer, language)

    return told


def test_amounts_are_shown_in_yuan_and_the_line_of_the_delivery_is_named(tell):
    told = tell(
        "RA-05", {"entity_name": "某公司", "established_on": "2011-04-12", "capital": 50000000, "identified_year": 2015}
    )
    facts = {fact.label: fact for fact in told.facts}

    assert facts["认缴出资额（元）"].theirs == "500,000.00"
    assert facts["成立日期"].differs
    assert "2015 年识别" in told.explanation
    assert told.source == "来自 市场监管局·市场主体人员 第 7 批第 12 行"


def test_what_the_registry_says_stands_on_its_side_by_label(tell):
    told = tell("RC-04B", {"health": "02,04", "relation": "03"})
    facts = {fact.label: fact for fact in told.facts}

    assert (facts["健康状况"].ours, facts["健康状况"].theirs) == ("长期慢性病、残疾", "")
    assert facts["与户主关系"].ours == "之子"
    assert facts["姓名"].theirs == ""
    assert "健康状况为长期慢性病、残疾" in told.explanation
    assert "没有此人的有效记录" in told.source
    assert "Disabled" in tell("RC-04B", {"health": "04"}, language="en").explanation


def test_another_persons_name_is_masked_for_whoever_may_not_read_the_registry_there(tell, office):
    evidence = {"hukou_name": "黄小芳", "hukou_status": "正常", "relation": "03"}

    assert "黄小芳" in tell("RB-02", evidence).explanation
    assert "黄小芳" not in tell("RB-02", evidence, viewer=office["next_town"]).explanation
    assert "黄" in tell("RB-02", evidence, viewer=office["next_town"]).explanation


@pytest.mark.usefixtures("gazetteer")
def test_a_division_is_told_by_its_name_as_far_as_it_is_known(tell):
    evidence = {"relation": "03", "hukou_relation": "之子", "hukou_area": "451229100200", "other_hukou_area": None}
    told = tell("RB-07B", evidence)
    facts = {fact.label: fact for fact in told.facts}

    assert facts["户籍地"].theirs == "河池市大化县451229100451229100200", (
        "the tests' villages are called by their codes"
    )
    assert "户籍地 河池市大化县" in told.explanation
    assert "in 河池市" in tell("RB-07B", evidence, language="en").explanation
    unknown = {fact.label: fact for fact in tell("RB-07B", evidence | {"hukou_area": "451299100200"}).facts}
    assert unknown["户籍地"].theirs == "河池市 451299100200"


def test_a_run_of_an_earlier_version_tells_divisions_by_name_too():
    assert ShownAs.of({"name": "other_village_code"}).format == "division"
    assert ShownAs.of({"name": "plate"}).format == ""


def test_the_records_name_stands_beside_the_registered_one_where_the_two_differ(tell):
    told = tell("RB-02", {"hukou_name": "黄小芳", "hukou_status": "正常", "relation": "03"})
    names = [fact for fact in told.facts if fact.label == "姓名"]

    assert [(fact.ours, fact.theirs, fact.differs) for fact in names] == [("韦大明", "黄小芳", True)]
    assert not [fact for fact in told.facts if fact.label == "户籍姓名" or "一致" in fact.theirs]
