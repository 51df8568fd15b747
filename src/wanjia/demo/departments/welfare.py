"""Deaths, the minimum living allowance and extreme-poverty support, disability certificates."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta

from wanjia.demo import names, slips
from wanjia.demo.departments.files import UTF_8_WITH_MARK, Delivery, Layout
from wanjia.demo.truth import Cast, Question, grown
from wanjia.demo.world import DAY, DIED, HEAD, County, Home, Resident

DEATHS = Layout(
    title="死亡人员信息",
    header=("序号", "姓名", "身份证号", "死亡日期", "死亡信息来源", "死亡登记日期", "记录状态"),
)
RELIEF = Layout(
    title="低保和特困供养人员信息",
    header=(
        "序号", "低保证号", "姓名", "身份证号码", "与申请人关系", "救助类别", "保障人数", "月保障金额", "享受起始日期",
        "停发日期",
        "享受状态",
    ),
    unit="元",
    encoding=UTF_8_WITH_MARK,
)  # fmt: skip
CERTIFICATES = Layout(
    title="残疾人证信息",
    header=("序号", "姓名", "残疾人证号", "残疾类别", "残疾等级", "发证日期", "有效期至", "证件状态"),
)
DIBAO, TEKUN = "农村低保", "农村特困分散供养"
PAID, STOPPED = "在享", "停发"
SLIPS = 0.3
TYPES = ("视力残疾", "听力残疾", "言语残疾", "肢体残疾", "智力残疾", "精神残疾", "多重残疾")
GRADES = ("一级", "二级", "三级", "四级")


def _some_day(cast: Cast, first: int, last: int) -> date:
    """A day between `last` and `first` days ago."""
    return DAY - timedelta(days=cast.random.randrange(first, last))


def _stranger(cast: Cast, county: County, youngest: int, oldest: int) -> tuple[str, str]:
    male = cast.random.random() < 0.52
    born = DAY - timedelta(days=cast.random.randrange(youngest * 365, oldest * 365))
    return names.full(cast.random, male=male), county.numbers.take(born, male=male)


def _able(home: Home, member: Resident) -> bool:
    return home.ordinary and grown(home, member) and not member.disabled and member.relation != HEAD


def bury(cast: Cast) -> None:
    """Who died without the register hearing of it. The other departments' files are written after this."""
    for _home, member in cast.take(lambda home, one: _able(home, one) and one.age >= 45):
        member.died_on = _some_day(cast, 40, 1200)
        cast.truth.about(Question.DEAD, member)


def deaths(cast: Cast, county: County, rows: int) -> Delivery:
    """The county's register of deaths."""
    lines: list[tuple[str, str, date, str]] = []
    dead = {member.number: member for member in county.residents if member.died_on}
    for home in county.homes:
        for member in home.members:
            day = member.died_on or (member.left_on if member.member_status == DIED else None)
            if day is not None:
                lines.append((member.name, member.number, day, "有效"))
    for turn, (_home, member) in enumerate(cast.take(_able)):
        cast.truth.nearly(Question.DEAD, member)
        if turn % 2:  # reported dead, alive, withdrawn
            lines.append((member.name, member.number, _some_day(cast, 40, 900), "撤销"))
        else:  # somebody else's death under his number
            other = names.full(cast.random, male=member.male, family="区")
            lines.append((other, member.number, _some_day(cast, 40, 900), "有效"))
    while len(lines) < rows:
        lines.append((*_stranger(cast, county, 40, 95), _some_day(cast, 5, 2000), "有效"))
    cast.random.shuffle(lines)
    written = []
    for name, number, day, status in lines:
        shown, right = slips.number(cast.random, number)
        if not right and number in dead:
            cast.truth.blur(dead[number], Question.DEAD)
        source = cast.random.choice(("死亡医学证明", "火化证明", "村（居）委会证明"))
        registered = slips.day(cast.random, min(DAY, day + timedelta(days=20)))
        written.append([slips.name(cast.random, name), shown, slips.day(cast.random, day), source, registered, status])
    return DEATHS.as_csv(cast.random, county.name, written)


@dataclass(slots=True)
class Support:
    """One person's line in the list of civil affairs."""

    name: str
    number: str
    category: str
    home: int
    persons: int = 1
    status: str = PAID
    since: date = DAY
    stopped_on: date | None = None


def relief(cast: Cast, county: County, rows: int) -> Delivery:
    """Civil affairs' list of this month; what the register says of the same people is settled here too."""
    found: dict[int, list[Support]] = {}
    for home in county.homes:
        for member in home.present:
            member.on_dibao, member.on_tekun = home.category == "04", home.category == "06"
            if not home.ordinary and member.died_on is None:
                found[member.person_no] = [_support(cast, home, member, DIBAO if member.on_dibao else TEKUN)]
    _unregistered(cast, found)
    _unpaid(cast, found)
    lines = [line for person in found.values() for line in person]
    while len(lines) < rows:
        name, number = _stranger(cast, county, 1, 90)
        lines.append(Support(name, number, DIBAO, 900_000 + len(lines), since=_some_day(cast, 60, 3000)))
    cast.random.shuffle(lines)
    owners = {member.number: member for member in county.residents}
    return RELIEF.as_csv(cast.random, county.name, [_written(cast, line, owners) for line in lines])


def _support(cast: Cast, home: Home, member: Resident, category: str) -> Support:
    since = _some_day(cast, 60, 2500)
    return Support(member.name, member.number, category, home.household_no, len(home.present), since=since)


def _unregistered(cast: Cast, found: dict[int, list[Support]]) -> None:
    """Paid, and the register does not say so; and lines that pay nobody."""
    for question, category in ((Question.DIBAO_UNREGISTERED, DIBAO), (Question.TEKUN_UNREGISTERED, TEKUN)):
        for home, member in cast.take(_able):
            found[member.person_no] = [_support(cast, home, member, category)]
            cast.truth.about(question, member)
        for turn, (home, member) in enumerate(cast.take(_able)):
            line = _support(cast, home, member, category)
            if turn % 3 == 0:
                line.name = names.full(cast.random, male=member.male, family="区")
            else:
                line.stopped_on, line.status = _some_day(cast, 1, 50), STOPPED if turn % 3 == 1 else PAID
            found[member.person_no] = [line]
            cast.truth.nearly(question, member)


def _unpaid(cast: Cast, found: dict[int, list[Support]]) -> None:
    """Registered as supported, and stopped or not listed; and lists that only look so."""
    for question, household_category in ((Question.DIBAO_UNPAID, "04"), (Question.TEKUN_UNPAID, "06")):

        def supported(home: Home, member: Resident, wanted: str = household_category) -> bool:
            return home.category == wanted and member.died_on is None and bool(member.name)

        for turn, (_home, member) in enumerate(cast.take(supported)):
            (line,) = found[member.person_no]
            line.status, line.stopped_on = STOPPED, _some_day(cast, 1, 300)
            if turn % 2:
                found[member.person_no] = []
            cast.truth.about(question, member)
        for turn, (home, member) in enumerate(cast.take(supported)):
            (line,) = found[member.person_no]
            if turn % 2:  # stopped once, and taken up again
                again = _support(cast, home, member, line.category)
                line.status, line.stopped_on, line.since = STOPPED, DAY - timedelta(days=2600), date(2011, 4, 1)
                found[member.person_no].append(again)
            else:
                line.number = member.number.lower()
            cast.truth.nearly(question, member)


def _written(cast: Cast, line: Support, owners: dict[str, Resident]) -> list[str]:
    number, right = slips.number(cast.random, line.number.upper(), SLIPS)
    member = owners.get(line.number.upper())
    if not right and member is not None:
        cast.truth.blur(
            member,
            Question.DIBAO_UNREGISTERED,
            Question.DIBAO_UNPAID,
            Question.TEKUN_UNREGISTERED,
            Question.TEKUN_UNPAID,
        )
    stopped = slips.day(cast.random, line.stopped_on) if line.stopped_on else ""
    return [
        f"4512280{line.home:09d}", slips.name(cast.random, line.name), number, "本人或户主", line.category,
        str(line.persons), f"{180 * line.persons}.00", slips.day(cast.random, line.since), stopped, line.status,
    ]  # fmt: skip


def certificates(cast: Cast, county: County, rows: int) -> Delivery:
    """The federation's certificates; whom the register calls disabled is settled here too."""
    lines: list[tuple[str, str, str, date]] = []
    later, past = DAY + timedelta(days=1500), DAY - timedelta(days=200)
    for _home, member in cast.take(lambda home, one: home.ordinary and one.disabled):
        if cast.random.random() < 0.5:
            lines.append((member.name, member.number, "过期", past))
        cast.truth.about(Question.CERTIFICATE_MISSING, member)
    for turn, (_home, member) in enumerate(cast.take(lambda home, one: home.ordinary and one.disabled)):
        member.health = ("03,04", "04")[turn % 2]
        if turn % 2:  # an old one besides
            lines.append((member.name, member.number, "注销", past))
        lines.append((member.name, member.number, "有效", later))
        cast.truth.nearly(Question.CERTIFICATE_MISSING, member)
    done = {number for _name, number, _status, _until in lines}
    questioned = {fact.person_no for fact in cast.truth.facts if fact.question == Question.CERTIFICATE_MISSING}
    lines += [
        (member.name, member.number, "有效", later)
        for member in county.residents
        if member.disabled and member.number not in done and member.person_no not in questioned
    ]
    holders = [member for _home, member in cast.take(_able)]
    lines += [(member.name, member.number, "有效", later) for member in holders]
    for member in holders:
        cast.truth.about(Question.CERTIFICATE_UNREGISTERED, member)
    for turn, (_home, member) in enumerate(cast.take(_able)):
        status, until = (("注销", later), ("有效", past), ("有效", later))[turn % 3]
        name = names.full(cast.random, male=member.male, family="区") if turn % 3 == 2 else member.name
        lines.append((name, member.number, status, until))
        cast.truth.nearly(Question.CERTIFICATE_UNREGISTERED, member)
    while len(lines) < rows:
        lines.append((*_stranger(cast, county, 6, 90), "有效", later))
    cast.random.shuffle(lines)
    owners = {member.number: member for member in county.residents}
    written = [_certificate(cast, line, owners) for line in lines]
    return CERTIFICATES.as_workbook(cast.random, county.name, written)


def _certificate(cast: Cast, line: tuple[str, str, str, date], owners: dict[str, Resident]) -> list[str]:
    name, number, status, until = line
    shown, right = slips.number(cast.random, number, SLIPS)
    if not right and number in owners:
        cast.truth.blur(owners[number], Question.CERTIFICATE_UNREGISTERED, Question.CERTIFICATE_MISSING)
    kind, grade = cast.random.randrange(len(TYPES)), cast.random.randrange(len(GRADES))
    certificate = f"{shown}{kind + 1}{grade + 1}" if shown == number else shown
    issued = until - timedelta(days=3650 if status == "有效" else 3700 + cast.random.randrange(300))
    return [
        slips.name(cast.random, name), certificate, TYPES[kind], GRADES[grade], slips.day(cast.random, issued),
        slips.day(cast.random, until), status,
    ]  # fmt: skip
