"""The hukou register of the county: who is in which household book, and what became of him."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import count

from wanjia.demo import names, slips
from wanjia.demo.departments.files import Delivery, Layout
from wanjia.demo.truth import Cast, Question, Subject
from wanjia.demo.world import (
    DAUGHTER,
    DAY,
    DIED,
    FATHER,
    GRANDDAUGHTER,
    GRANDSON,
    HEAD,
    MOTHER,
    SON,
    SONS_WIFE,
    SPOUSE,
    County,
    Home,
    Resident,
)

LAYOUT = Layout(
    title="户籍人口信息",
    header=(
        "序号", "户号", "户别", "姓名", "公民身份号码", "曾用名", "与户主关系", "户籍地区划代码", "户籍状态",
        "变动日期",
        "迁往地", "迁入日期", "住址",
    ),
    page=20_000,
)  # fmt: skip
RELATIONS = {
    HEAD: "户主", SPOUSE: "配偶", SON: "之子", DAUGHTER: "之女", SONS_WIFE: "之儿媳", GRANDSON: "之孙子",
    GRANDDAUGHTER: "之孙女", FATHER: "之父", MOTHER: "之母",
}  # fmt: skip
KEPT, DEAD, MOVED, WITHIN, ABROAD, ARMY, DOUBLE, OTHER = (
    "正常", "死亡注销", "迁往县外", "县内迁移", "出国境定居注销", "入伍注销", "重复户口注销", "其他注销",
)  # fmt: skip
FAMILY, COLLECTIVE = "家庭户", "集体户"
CLOSE = (SPOUSE, SON, DAUGHTER, GRANDSON, GRANDDAUGHTER)
NEWBORN_SINCE = date(2020, 6, 20)  # born so late that nobody expects the hukou yet
SLIPS = 0.1  # the police keep their own register better than others copy it
ASKED = (Question.NUMBER_UNKNOWN, Question.NAME_DIFFERS, Question.HUKOU_ENDED, Question.IN_ANOTHER_BOOK)


@dataclass(slots=True)
class Entry:
    """One line of the register."""

    book: str
    name: str
    number: str
    relation: str
    area: str
    status: str = KEPT
    kind: str = FAMILY
    changed_on: date | None = None
    moved_to: str = ""


def deliver(cast: Cast, county: County, rows: int) -> Delivery:
    """The register of the whole county, about `rows` lines."""
    register = _Register(cast, county)
    entries = register.entries()
    while len(entries) < rows:
        entries.append(register.stranger())
    cast.random.shuffle(entries)
    return LAYOUT.as_csv(cast.random, county.name, [register.written(entry) for entry in entries])


class _Register:
    def __init__(self, cast: Cast, county: County) -> None:
        self.cast, self.random, self.truth, self.county = cast, cast.random, cast.truth, county
        self._books = count(1)
        self._book_of = {home.household_no: self._book() for home in county.homes}
        self._own: dict[int, list[Entry]] = {}  # lines of people with a part, instead of the usual one
        self._more: list[Entry] = []
        self._homes = {member.person_no: home for home in county.homes for member in home.members}
        # Who is entered in two households links the other one to this one's book.
        self._also_in = {
            member.number: home.household_no
            for home in county.homes
            for member in home.members
            if member.hukou_elsewhere
        }
        self._people = {member.number: member for member in county.residents if not member.hukou_elsewhere}

    def _book(self) -> str:
        return f"{self.county.code}{next(self._books):07d}"

    def entries(self) -> list[Entry]:
        for story in (self._names, self._unknown, self._ended, self._left_out, self._other_books):
            story()
        found = list(self._more)
        for home in self.county.homes:
            for member in home.members:
                found += self._own.get(member.person_no, None) or self._usual(home, member)
        return [entry for entry in found if entry.number]

    def _line(
        self, home: Home, member: Resident, status: str = KEPT, *, book: str = "", on: date | None = None
    ) -> Entry:
        return Entry(
            book=book or self._book_of[home.household_no],
            name=member.name,
            number=member.number,
            relation=RELATIONS[member.relation],
            area=home.village_code,
            status=status,
            changed_on=on,
            moved_to="广东省佛山市" if status == MOVED else "",
        )

    def _usual(self, home: Home, member: Resident) -> Iterator[Entry]:
        if member.hukou_elsewhere:
            return
        if member.died_on is not None:  # the register of the poor has not heard of it
            yield self._line(home, member, DEAD, on=member.died_on)
        elif member.lives_in_household or member.cast:  # of those with a part, one who only married within the county
            yield self._line(home, member)
        elif member.member_status == DIED:
            yield self._line(home, member, DEAD, on=member.left_on)
        else:
            yield self._line(home, member, MOVED, on=member.left_on)

    def _names(self) -> None:
        """Entered under another name than the book's; and names that are only written otherwise."""
        for _home, member in self.cast.take(_adult):
            member.registered_name = self._misheard(member)
            self.truth.about(Question.NAME_DIFFERS, member)
        for turn, (home, member) in enumerate(self.cast.take(_adult)):
            line = self._line(home, member)
            if turn % 2:
                line.name = f"{member.name[0]} {member.name[1:]}(曾在外)"
                self._own[member.person_no] = [line]
            else:  # a book that was cancelled as double, under a wrong name
                double = self._line(home, member, DOUBLE, book=self._book(), on=date(2012, 5, 8))
                double.name = self._misheard(member)
                self._own[member.person_no] = [line, double]
            self.truth.nearly(Question.NAME_DIFFERS, member)

    def _misheard(self, member: Resident) -> str:
        while True:
            other = names.full(self.random, male=member.male, family=member.name[0])
            if other != member.name:
                return other

    def _unknown(self) -> None:
        """Registered, and in no book of the county."""
        for _home, member in self.cast.take(_adult):
            self._own[member.person_no] = [Entry("", "", "", "", "")]
            self.truth.about(Question.NUMBER_UNKNOWN, member)
        newborn = self.cast.take(lambda home, one: home.ordinary and one.born_on >= NEWBORN_SINCE, self.cast.each // 2)
        for _home, member in newborn:
            self._own[member.person_no] = [Entry("", "", "", "", "")]
            self.truth.nearly(Question.NUMBER_UNKNOWN, member)
        for home, member in self.cast.take(_adult):
            line = self._line(home, member)
            line.number = f" {member.number.lower()}\t"
            self._own[member.person_no] = [line]
            self.truth.nearly(Question.NUMBER_UNKNOWN, member)

    def _ended(self) -> None:
        """Moved out of the county, abroad, or cancelled; and moves that end nothing."""
        for turn, (home, member) in enumerate(self.cast.take(_adult)):
            status = (MOVED, ABROAD, OTHER)[turn % 3]
            self._own[member.person_no] = [self._line(home, member, status, on=self._some_day())]
            self.truth.about(Question.HUKOU_ENDED, member)
        for turn, (home, member) in enumerate(self.cast.take(_adult)):
            status = (WITHIN, ARMY, MOVED)[turn % 3]
            lines = [self._line(home, member, status, on=self._some_day())]
            if status == MOVED:  # and back again
                lines[0].book = self._book()
                lines.append(self._line(home, member))
            self._own[member.person_no] = lines
            self.truth.nearly(Question.HUKOU_ENDED, member)

    def _some_day(self) -> date:
        return DAY - timedelta(days=self.random.randrange(20, 1500))

    def _left_out(self) -> None:
        """In the book and not in the register: a child, a wife; and lodgers, emigrants, the dead."""
        for turn, (home, _member) in enumerate(self.cast.take(_adult)):
            child = turn % 2 == 0
            age = self.random.randrange(0, 3) if child else self.random.randrange(22, 40)
            line = self._unregistered(home, "之子" if child else "之儿媳", age, male=child)
            self._more.append(line)
            self.county.left_out[home.household_no] = (line.name, line.number)
            self.truth.facts.add(Subject(Question.LEFT_OUT, household_no=home.household_no))
        for turn, (home, _member) in enumerate(self.cast.take(_adult)):
            line = self._unregistered(home, "之女", self.random.randrange(20, 70), male=False)
            if turn % 3 == 0:
                line.relation = "非亲属"
            else:
                line.status, line.changed_on = (MOVED, DEAD)[turn % 3 - 1], self._some_day()
            self._more.append(line)
            self.truth.near_misses.add(Subject(Question.LEFT_OUT, household_no=home.household_no))

    def _unregistered(self, home: Home, relation: str, age: int, *, male: bool) -> Entry:
        born = DAY - timedelta(days=age * 366 + self.random.randrange(1, 300))
        return Entry(
            book=self._book_of[home.household_no],
            name=names.full(self.random, male=male, family=home.head.name[0]),
            number=self.county.numbers.take(born, male=male),
            relation=relation,
            area=home.village_code,
        )

    def _other_books(self) -> None:
        """Wife or child in another book than the head's; and parents and pupils, of whom nobody wonders."""
        for home, member in self.cast.take(lambda home, one: home.ordinary and one.relation in CLOSE):
            line = self._line(home, member, book=self._book())
            line.relation = "户主" if member.age >= 18 else "之外孙子"
            self._own[member.person_no] = [line]
            self.truth.about(Question.IN_ANOTHER_BOOK, member)
        half = self.cast.each // 2
        for home, member in self.cast.take(lambda home, one: home.ordinary and one.relation in (FATHER, MOTHER), half):
            self._own[member.person_no] = [self._line(home, member, book=self._book())]
            self.truth.nearly(Question.IN_ANOTHER_BOOK, member)
        pupils = self.cast.take(lambda home, one: home.ordinary and one.relation in CLOSE and 16 <= one.age <= 24)
        for home, member in pupils:
            line = self._line(home, member, book=self._book())
            line.kind = COLLECTIVE
            self._own[member.person_no] = [line]
            self.truth.nearly(Question.IN_ANOTHER_BOOK, member)

    def stranger(self) -> Entry:
        """Somebody of the county who is not in the register of the poor."""
        male = self.random.random() < 0.52
        born = DAY - timedelta(days=self.random.randrange(30, 90 * 365))
        status = self.random.choices((KEPT, DEAD, MOVED, WITHIN), weights=(90, 4, 4, 2))[0]
        return Entry(
            book=self._book(),
            name=names.full(self.random, male=male),
            number=self.county.numbers.take(born, male=male),
            relation="户主",
            area=self.random.choice(self.county.homes).village_code,
            status=status,
            changed_on=None if status == KEPT else self._some_day(),
        )

    def written(self, entry: Entry) -> list[str]:
        number, right = slips.number(self.random, entry.number.strip().upper(), SLIPS)
        if not right:
            self._blur(entry)
        elif number == entry.number.strip().upper():
            number = entry.number
        on = slips.day(self.random, entry.changed_on) if entry.changed_on else ""
        return [
            entry.book, entry.kind, slips.name(self.random, entry.name), number, "", entry.relation, entry.area,
            entry.status, on, entry.moved_to, "", self.county.name,
        ]  # fmt: skip

    def _blur(self, entry: Entry) -> None:
        """The line no longer says of whom it is, nor what his family's book holds."""
        member = self._people.get(entry.number.strip().upper())
        if member is None:
            return
        home = self._homes[member.person_no]
        self.truth.blur(member, *ASKED)
        readers = {home.household_no, *(self._also_in.get(one.number, home.household_no) for one in home.members)}
        self.truth.blurred |= {Subject(Question.LEFT_OUT, household_no=number) for number in readers}
        if member.relation == HEAD:
            for other in home.members:
                self.truth.blur(other, Question.IN_ANOTHER_BOOK)


def _adult(home: Home, member: Resident) -> bool:
    return (
        home.ordinary and member.relation not in (HEAD, *CLOSE[3:]) and not member.disabled and 18 <= member.age <= 75
    )
