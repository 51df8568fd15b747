"""From the files of several departments, as they write them, to findings: the whole way, over five people."""

from __future__ import annotations

import pytest

from tests.comparison.conftest import VILLAGE, register
from tests.factories.sources import number
from wanjia.audit.testing import unrecorded
from wanjia.comparison.queries import each_finding
from wanjia.comparison.services import compare_now
from wanjia.reference.services import load_reference
from wanjia.registry.models import Person, PersonYear
from wanjia.scope.keys import keyring
from wanjia.scope.system import system_viewer
from wanjia.sources import services as sources

pytestmark = pytest.mark.django_db
EYE = system_viewer("comparison.case")
CLERK = system_viewer("cli.intake")
NAMES = ("韦一", "韦二", "韦三", "韦四", "韦五")


@pytest.fixture
def people(world):
    """韦一 and 韦五 are one household, the others heads of their own; 韦二 is registered for dibao, 韦四 as disabled."""
    load_reference()
    for name in NAMES[:4]:
        world.person(village=VILLAGE, name=name)
    world.person(1, name=NAMES[4])
    register(world)
    facts = {"year": 2020, "village_code": VILLAGE}
    with unrecorded():
        for place in range(1, 6):
            key = keyring().person_key(number(place))
            Person.objects.visible_to(EYE).filter(pk=place).update(person_key=key)
        PersonYear.objects.create(person_no=2, household_no=2, **facts, health="01", on_dibao=True)
        PersonYear.objects.create(person_no=4, household_no=4, **facts, health="04", on_dibao=False)


def deliver(tmp_path, name, text):
    path = tmp_path / name
    path.write_bytes(text.replace("\n", "\r\n").encode("gb18030"))
    batch = sources.receive(viewer=CLERK, path=path)
    return sources.accept(viewer=CLERK, batch_id=batch.pk)


def test_departments_files_become_findings(people, office, tmp_path):
    population = f"""户籍人口信息（截至2020年10月31日）
序号,户号,户类型,姓名,身份证号,户主关系,户口状态,迁出日期,何时迁往何地
1,H100,家庭户,韦一,{number(1)},户主,正常,,
2,H100,家庭户,韦小宝,{number(90)},孙子,正常,,
3,H100,家庭户,韦出嫁,{number(91)},女儿,迁出,2019年5月1日,广东省东莞市
4,H200,家庭户,黄别人,{number(2)},户主,正常,,
5,H400,家庭户,韦四,{number(4)},户主,迁往省外,2019/7/1,广东省深圳市
6,H500,家庭户,韦五,{number(5)},户主,正常,,
"""
    dibao = f"""救助证号,姓名,身份证号码,救助类型,保障人口,月保障金,纳入日期,保障状态
D1,韦一,{number(1)},农村低保,2人,"1,230.00",2018年4月1日,在保
D1,韦五,{number(5)},农村低保,2人,"1,230.00",2018-04-01,停保
"""
    certificates = f"""姓名,身份证号,残疾证号,残疾类型,残疾级别,发证日期,有效期止,残疾证状态
韦三,{number(3)},{number(3)}42,4,2级,2016.5.10,长期,正常
韦五,{number(5)},{number(5)}11B1,视力残疾,一级,2009-01-01,2019-01-01,有效
"""
    deliver(tmp_path, "户籍.csv", population)
    deliver(tmp_path, "低保.csv", dibao)
    deliver(tmp_path, "残疾人证.csv", certificates)
    run = compare_now(viewer=office["province"])
    found = {(item.rule, item.person_no): item.evidence for item in each_finding(office["province"], run.pk)}

    assert found.keys() == {
        ("RB-02", 2), ("RB-03", 3), ("RB-05", 4), ("RB-07", 1), ("RB-07B", 5),
        ("RC-01", 1), ("RC-01B", 2), ("RC-04", 3), ("RC-04B", 4),
    }  # fmt: skip
    assert found["RB-02", 2]["hukou_name"] == "黄别人"
    assert (found["RB-07", 1]["other_hukou_name"], found["RB-07", 1]["other_hukou_relation"]) == ("韦小宝", "之孙子")
    assert found["RB-05", 4] == {
        "left_how": "迁往县外", "left_on": "2019-07-01", "left_to": "广东省深圳市", "relation": "01",
    }  # fmt: skip
    assert (found["RC-04", 3]["disability_type"], found["RC-04", 3]["expires_on"]) == ("肢体", None)
    assert found["RC-01", 1]["relief_persons"] == 2
