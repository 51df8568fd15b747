"""A village in which every rule has one true suspect, as the departments' files say it."""

from __future__ import annotations

import csv
import io
from dataclasses import dataclass, field
from typing import Any

from tests.comparison.conftest import VILLAGE, Office, World, register
from tests.factories import sources as vehicles
from tests.factories.sources import number
from wanjia.audit.testing import unrecorded
from wanjia.casework.models import Case
from wanjia.comparison.queries import Filters
from wanjia.comparison.services import compare_now, issue_findings
from wanjia.registry.models import NumberSeries, Person, PersonYear
from wanjia.scope.keys import keyring
from wanjia.scope.system import system_viewer
from wanjia.sources import services as sources

EYE = system_viewer("comparison.case")
CLERK = system_viewer("cli.intake")

PAYROLL = "单位名称,姓名,身份证号,人员类别,职务,到岗日期,发放状态,停发日期,工资月份"
ESTATES = "不动产单元号,不动产权证号,权利人,权利人证件号码,坐落,用途,权利类型,取得方式,共有情况,建筑面积(平方米),登记日期,权属状态,登记机构"
MARKET = "统一社会信用代码,市场主体名称,市场主体类型,人员类型,姓名,身份证号码,登记状态,成立日期,注销吊销日期,任职日期,退出日期,认缴出资额"
DEATHS = "姓名,身份证号,死亡日期,死亡信息来源,死亡登记日期,记录状态"
RELIEF = "低保证号,姓名,身份证号码,与申请人关系,救助类别,保障人数,月保障金额,享受起始日期,停发日期,享受状态"
CERTIFICATES = "姓名,残疾人证号,残疾类别,残疾等级,发证日期,有效期至,证件状态"
POPULATION = "户号,户别,姓名,公民身份号码,曾用名,与户主关系,户籍地区划代码,户籍状态,变动日期,迁往地,迁入日期,住址"

LEFT_OUT, RIGHT = number(90), {"RB-01": number(91), "RB-03": number(92)}  # who is missing, and what is so


@dataclass
class Suspects:
    """The village: by rule who is suspected, by name who is who."""

    world: World
    people: dict[str, int] = field(default_factory=dict)
    numbers: dict[int, str | None] = field(default_factory=dict)
    cases: dict[str, int] = field(default_factory=dict)

    def person(self, name: str, household: int | None = None, serial: int | None = None) -> int:
        made = self.world.person(household, village=VILLAGE, name=name.removesuffix("再次"))
        self.people[name] = made
        self.numbers[made] = number(serial or made)
        return made

    def home(self, name: str) -> int:
        return int(self.world.people[self.people[name] - 1]["household_no"])

    def number(self, name: str) -> str | None:
        return self.numbers[self.people[name]]


NAMES = (
    "RA-01", "RA-02", "RA-02B", "RA-04", "RA-05", "RB-01", "RB-02", "RB-03", "RB-04", "RB-05", "RB-06", "RB-07",
    "RB-07B", "RC-01", "RC-01B", "RC-02", "RC-02B", "RC-04", "RC-04B",
)  # fmt: skip


def village(world: World) -> Suspects:
    """A household for each rule; whose head is not suspected has him beside, whose head dies leaves two others."""
    made = Suspects(world)
    for rule in NAMES:
        if rule in ("RB-05", "RB-07B"):
            made.person(f"{rule}户主")
        made.person(rule, made.home(f"{rule}户主") if f"{rule}户主" in made.people else None)
    for other in ("妻", "子"):
        made.person(f"RB-04{other}", made.home("RB-04"))
    twice = made.people["RB-06"]
    made.person("RB-06再次", serial=twice)
    register(world)
    NumberSeries.objects.create(kind="person", next_no=len(world.people) + 1)
    _give_numbers(made)
    return made


def _give_numbers(made: Suspects) -> None:
    wrong = str(made.number("RB-01"))
    made.numbers[made.people["RB-01"]] = wrong[:17] + ("1" if wrong[17] != "1" else "2")
    facts: dict[str, dict[str, Any]] = {
        "RC-01": {"health": "02"}, "RC-01B": {"on_dibao": True}, "RC-02": {"on_dibao": True},
        "RC-02B": {"on_tekun": True}, "RC-04": {"health": "02"}, "RC-04B": {"health": "02,04", "disability_type": "4"},
    }  # fmt: skip
    with unrecorded():
        for person_no, text in made.numbers.items():
            values = {"person_key": keyring().person_key(text), "id_valid": person_no != made.people["RB-01"]}
            Person.objects.visible_to(EYE).filter(pk=person_no).update(**values)
        for rule, known in facts.items():
            PersonYear.objects.create(
                person_no=made.people[rule], household_no=made.home(rule), year=2019, village_code=VILLAGE, **known
            )


def delivered(made: Suspects, tmp_path) -> None:
    """The departments' files: everybody is in the hukou register, the suspects where they should not be."""
    for name, header, rows in (
        ("户籍.csv", POPULATION, _population(made)),
        ("工资.csv", PAYROLL, [["县第二小学", "RA-01", made.number("RA-01"), "事业单位人员", "教师", "2009-09-01", "正常发放", "", "202009"]]),
        ("不动产.csv", ESTATES, [[
            "451228001001GB00001F00010001", "桂(2019)都安县不动产权第0000001号", "RA-04", made.number("RA-04"),
            "都安瑶族自治县安阳镇屏山南路1号", "成套住宅", "国有建设用地使用权/房屋所有权", "购买", "单独所有", "98",
            "2012-05-01", "现势", "都安瑶族自治县不动产登记中心",
        ]]),
        ("市场.csv", MARKET, [[
            "92451228MA50000001", "都安韦氏1号经营部", "有限责任公司", "法定代表人", "RA-05", made.number("RA-05"),
            "存续", "2012-03-01", "", "2012-03-01", "", "10",
        ]]),
        ("死亡.csv", DEATHS, [["RB-04", made.number("RB-04"), "2020-03-01", "殡葬火化", "2020-03-05", "有效"]]),
        ("低保.csv", RELIEF, [
            ["D1", "RC-01", made.number("RC-01"), "本人", "农村低保", "1", "400", "2018-04-01", "", "在享"],
            ["D2", "RC-02", made.number("RC-02"), "本人", "农村特困分散供养", "1", "800", "2018-04-01", "", "在享"],
            ["D3", "RC-02", made.number("RC-02"), "本人", "农村低保", "1", "400", "2018-04-01", "", "在享"],
        ]),
        ("残疾人证.csv", CERTIFICATES, [
            ["RC-04", f"{made.number('RC-04')}42", "肢体残疾", "二级", "2016-05-10", "2026-05-09", "有效"],
        ]),
    ):  # fmt: skip
        _deliver(tmp_path / name, header, rows)
    cars = [
        vehicles.row(1, 所有人="RA-02", 身份证明号码=made.number("RA-02"), 初次登记日期="2014-05-01"),
        vehicles.row(2, 所有人="RA-02B", 身份证明号码=made.number("RA-02B"), 初次登记日期="2018-05-01"),
    ]
    path = tmp_path / "车辆.csv"
    path.write_bytes(vehicles.delivery(cars).encode("gb18030"))
    sources.accept(viewer=CLERK, batch_id=sources.receive(viewer=CLERK, path=path).pk)


def _population(made: Suspects) -> list[list[object]]:
    names = {"RB-02": "黄别人"}
    rows = []
    for name, person_no in made.people.items():
        if name in ("RB-03", "RB-01", "RB-06再次"):
            continue
        book = f"B{made.home(name)}" if name != "RB-07B" else "B999"
        status, changed, moved = {
            "RB-04": ("死亡注销", "2020-03-02", ""),
            "RB-05": ("迁往县外", "2019-07-01", "广东省深圳市"),
        }.get(name, ("正常", "", ""))
        head = made.home(name) not in {made.home(each) for each in list(made.people)[: list(made.people).index(name)]}
        relation = "户主" if head or name == "RB-07B" else "之子"
        rows.append(_entry(book, names.get(name, name), made.numbers[person_no], relation, status, changed, moved))
    rows.append(_entry(f"B{made.home('RB-07')}", "韦小宝", LEFT_OUT, "之孙子"))
    rows += [_entry(f"B{made.home(rule)}", rule, text, "户主") for rule, text in RIGHT.items()]
    return rows


def _entry(book, name, text, relation, status="正常", changed="", moved="") -> list[object]:
    return [book, "家庭户", name, text, "", relation, VILLAGE, status, changed, moved, "", "都安县"]


def _deliver(path, header: str, rows) -> None:
    out = io.StringIO()
    csv.writer(out, lineterminator="\r\n").writerows([header.split(","), *rows])
    path.write_bytes(out.getvalue().encode("gb18030"))
    batch = sources.receive(viewer=CLERK, path=path)
    sources.accept(viewer=CLERK, batch_id=batch.pk)


def issued(made: Suspects, office: Office) -> Suspects:
    """Compared and issued: a case for each rule."""
    run = compare_now(viewer=office["province"])
    issue_findings(viewer=office["province"], run_id=run.pk, filters=Filters(), expected_count=run.finding_count or 0)
    made.cases = {case.topic: case.case_no for case in Case.objects.for_writing()}
    assert len(made.cases) == Case.objects.for_writing().count(), "one suspect of each rule"
    return made
