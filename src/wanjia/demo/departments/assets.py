"""What people own and are paid: budget payroll, market register, real-estate register.

Each department's file has everybody of the county; a few of the registered are in it with
something that should have kept them out, and as many with something that should not.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from wanjia.demo import names, slips
from wanjia.demo.departments.files import UTF_8_WITH_MARK, Delivery, Layout
from wanjia.demo.truth import Cast, Question
from wanjia.demo.world import DAY, County, Home, Resident

PAYROLL = Layout(
    title="财政供养人员信息",
    header=(
        "序号",
        "单位名称",
        "姓名",
        "身份证号",
        "人员类别",
        "职务",
        "到岗日期",
        "发放状态",
        "停发日期",
        "工资月份",
        "月应发工资",
    ),
    unit="元",
)
MARKET = Layout(
    title="市场主体人员信息",
    header=(
        "序号", "统一社会信用代码", "市场主体名称", "市场主体类型", "人员类型", "姓名", "身份证号码", "登记状态",
        "成立日期",
        "注销吊销日期", "任职日期", "退出日期", "认缴出资额",
    ),
    encoding=UTF_8_WITH_MARK,
    page=10_000,
)  # fmt: skip
ESTATES = Layout(
    title="不动产登记信息",
    header=(
        "序号", "不动产单元号", "不动产权证号", "权利人", "权利人证件号码", "坐落", "用途", "权利类型", "取得方式",
        "共有情况",
        "建筑面积(平方米)", "登记日期", "权属状态", "登记机构",
    ),
)  # fmt: skip


@dataclass(slots=True)
class Holding:
    """Something a department has on record under somebody's number."""

    name: str
    number: str
    since: date
    what: Sequence[str]
    ended: date | None = None
    serial: int = 0


# What the thing is, whether it was there when the household was identified, whether it has ended.
Kind = tuple[Sequence[str], bool, bool]


@dataclass(frozen=True, slots=True)
class Register:
    """A department's register: what it asks about, what it holds of whom, how it writes a line."""

    question: Question
    layout: Layout
    plants: Sequence[Kind]
    near: Sequence[Kind]
    usual: Sequence[Sequence[str]]
    line: Callable[[Holding, str, str, Callable[[date | None], str]], list[str]]

    def deliver(self, cast: Cast, county: County, rows: int, *, workbook: bool = False) -> Delivery:
        """The register of the whole county, about `rows` lines."""
        holdings = [*self._of_the_registered(cast), *self._under_anothers_number(cast)]
        while len(holdings) < rows:
            holdings.append(self._of_a_stranger(cast, county))
        cast.random.shuffle(holdings)
        owners = {member.number: member for member in county.residents}
        lines = []
        for serial, holding in enumerate(holdings, start=1):
            holding.serial = serial
            lines.append(self._written(cast, holding, owners))
        write = self.layout.as_workbook if workbook else self.layout.as_csv
        return write(cast.random, county.name, lines)

    def _of_the_registered(self, cast: Cast) -> Iterator[Holding]:
        for turn, (home, member) in enumerate(cast.take(_of_age)):
            cast.truth.about(self.question, member)
            yield self._holding(cast, home, member, self.plants[turn % len(self.plants)])
        for turn, (home, member) in enumerate(cast.take(_of_age)):
            cast.truth.nearly(self.question, member)
            yield self._holding(cast, home, member, self.near[turn % len(self.near)])

    def _holding(self, cast: Cast, home: Home, member: Resident, kind: Kind) -> Holding:
        what, before, ended = kind
        since = _before(cast, home) if before else _after(cast, home)
        end = min(DAY, since + timedelta(days=cast.random.randrange(30, 900))) if ended else None
        return Holding(member.name, member.number, since, what, end)

    def _under_anothers_number(self, cast: Cast) -> Iterator[Holding]:
        """Strangers' entries that somebody filed under a registered person's number."""
        for home, member in cast.take(_of_age, max(1, cast.each // 4)):
            cast.truth.nearly(self.question, member)
            other = names.full(cast.random, male=member.male)
            while other == member.name:
                other = names.full(cast.random, male=member.male)
            yield Holding(other, member.number, _before(cast, home), self.plants[0][0])

    def _of_a_stranger(self, cast: Cast, county: County) -> Holding:
        male = cast.random.random() < 0.6
        born = DAY - timedelta(days=cast.random.randrange(20 * 365, 70 * 365))
        since = date(2003, 1, 1) + timedelta(days=cast.random.randrange(0, 6400))
        number = county.numbers.take(born, male=male)
        return Holding(names.full(cast.random, male=male), number, since, cast.random.choice(self.usual))

    def _written(self, cast: Cast, holding: Holding, owners: dict[str, Resident]) -> list[str]:
        number, right = slips.number(cast.random, holding.number)
        if not right and holding.number in owners:
            cast.truth.blur(owners[holding.number], self.question)
        name = slips.name(cast.random, holding.name)
        return self.line(holding, name, number, lambda on: slips.day(cast.random, on) if on else "")


def _of_age(home: Home, member: Resident) -> bool:
    return home.ordinary and not member.disabled and 20 <= member.age <= 68


def _before(cast: Cast, home: Home) -> date:
    last = date(home.identified_year, 12, 31)
    return last - timedelta(days=cast.random.randrange(0, 3000))


def _after(cast: Cast, home: Home) -> date:
    first = date(home.identified_year + 1, 1, 1)
    return first + timedelta(days=cast.random.randrange(0, max(1, (DAY - first).days)))


_SCHOOL, _OFFICE = "县中心小学", "县水利局"

OFFICIALS = Register(
    question=Question.PAID_POST,
    layout=PAYROLL,
    plants=[
        ((_SCHOOL, "事业单位人员", "教师", "正常发放"), True, False),
        ((_OFFICE, "公务员", "科员", "正常发放"), True, False),
        (("县林业局", "退休人员", "", "正常发放"), True, False),
        (("县卫生院", "事业编制", "护士", "在发"), True, False),
    ],
    near=[
        (("镇人民政府", "公益性岗位", "保洁员", "正常发放"), True, False),
        ((_OFFICE, "临时人员", "司机", "正常发放"), True, False),
        (("村民委员会", "村（社区）干部", "副主任", "正常发放"), True, False),
        ((_SCHOOL, "事业单位人员", "教师", "正常发放"), False, False),
        ((_SCHOOL, "事业单位人员", "教师", "停发"), True, True),
        (("县司法局", "公务员", "科员", "正常发放"), True, True),
    ],
    usual=[
        (_SCHOOL, "事业单位人员", "教师", "正常发放"),
        (_OFFICE, "公务员", "科员", "正常发放"),
        (_OFFICE, "编外聘用人员", "司机", "正常发放"),
        (_SCHOOL, "退休人员", "", "正常发放"),
        ("镇人民政府", "公益性岗位", "护林员", "正常发放"),
    ],
    line=lambda h, name, number, day: [
        h.what[0], name, number, h.what[1], h.what[2], day(h.since), h.what[3], day(h.ended), "202009",
        f"{2000 + h.serial % 60 * 100}",
    ],
)  # fmt: skip
TRADERS = Register(
    question=Question.COMPANY,
    layout=MARKET,
    plants=[
        (("有限责任公司", "法定代表人", "存续"), True, False),
        (("有限责任公司", "股东", "在业"), True, False),
        (("农民专业合作社", "合作社理事长", "存续"), True, False),
        (("个人独资企业", "投资人", "开业"), True, False),
    ],
    near=[
        (("农民专业合作社", "合作社成员", "存续"), True, False),
        (("个体工商户", "经营者", "存续"), True, False),
        (("有限责任公司", "法定代表人", "注销"), True, True),
        (("有限责任公司", "监事", "存续"), True, False),
        (("有限责任公司", "股东", "存续"), False, False),
        (("有限责任公司", "法定代表人", "吊销未注销"), True, False),
    ],
    usual=[
        ("个体工商户", "经营者", "存续"),
        ("个体工商户", "经营者", "注销"),
        ("有限责任公司", "股东", "存续"),
        ("有限责任公司", "法定代表人", "存续"),
        ("农民专业合作社", "合作社成员", "存续"),
    ],
    line=lambda h, name, number, day: [
        f"92451228MA5{h.serial:07d}", f"都安{name[0]}氏{h.serial}号经营部", h.what[0], h.what[1], name, number,
        h.what[2],
        day(h.since), day(h.ended), day(h.since), "", f"{h.serial % 50 + 1}",
    ],
)  # fmt: skip
OWNERS = Register(
    question=Question.TOWN_PROPERTY,
    layout=ESTATES,
    plants=[
        (("成套住宅", "国有建设用地使用权/房屋所有权", "购买", "现势"), True, False),
        (("商业服务", "国有建设用地使用权/房屋所有权", "购买", "现势"), True, False),
        (("住宅", "国有建设用地使用权/房屋所有权", "购买", "抵押"), True, False),
        (("城镇住宅用地", "国有建设用地使用权", "购买", "现势"), True, False),
    ],
    near=[
        (("易地扶贫搬迁安置住房", "国有建设用地使用权/房屋所有权", "安置", "现势"), True, False),
        (("农村宅基地", "宅基地使用权/房屋所有权", "自建", "现势"), True, False),
        (("保障性住房", "国有建设用地使用权/房屋所有权", "购买", "现势"), True, False),
        (("成套住宅", "国有建设用地使用权/房屋所有权", "购买", "历史"), True, False),
        (("成套住宅", "国有建设用地使用权/房屋所有权", "购买", "现势"), False, False),
        (("住宅", "国有建设用地使用权/房屋所有权", "安置", "现势"), True, False),
    ],
    usual=[
        ("成套住宅", "国有建设用地使用权/房屋所有权", "购买", "现势"),
        ("农村宅基地", "宅基地使用权/房屋所有权", "自建", "现势"),
        ("商业服务", "国有建设用地使用权/房屋所有权", "购买", "抵押"),
        ("易地扶贫搬迁安置住房", "国有建设用地使用权/房屋所有权", "安置", "现势"),
    ],
    line=lambda h, name, number, day: [
        f"451228001001GB{h.serial:05d}F00010001", f"桂(2019)都安县不动产权第{h.serial:07d}号", name, number,
        f"都安瑶族自治县安阳镇屏山南路{h.serial % 300 + 1}号", h.what[0], h.what[1], h.what[2], "单独所有",
        f"{60 + h.serial % 80}", day(h.since), h.what[3], "都安瑶族自治县不动产登记中心",
    ],
)  # fmt: skip
