"""Vehicles in the county's lives, and the register's file about them, as messy as such files are.

First what happened (who bought what, when, and what became of it), then the rows the register
holds, then the slips of the people who keep the register and of the spreadsheet it went through.
The truth is written down before the slips are made.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import count
from random import Random

from wanjia.demo import names, slips
from wanjia.demo.departments.files import Delivery, Layout
from wanjia.demo.truth import Cast, Question, Subject, grown
from wanjia.demo.world import DAY, County, Home, Resident

CARS = ("小型轿车", "小型普通客车", "微型普通客车", "轻型普通货车", "小型越野客车")
MOTORCYCLES = ("普通二轮摩托车", "轻便二轮摩托车", "普通正三轮摩托车")
SCOOTER = "残疾人专用机动轮椅车"
IN_USE, SCRAPPED, CANCELLED, MOVED = "正常", "报废", "注销", "转出"
CAR_MODELS = ("五菱宏光LZW6441", "长安之星SC6399", "东风小康DXK6440", "福田BJ1030", "哈弗H6,豪华型")
MOTORCYCLE_MODELS = ("宗申ZS125", "豪爵HJ150", "钱江QJ125", "嘉陵JH70", "隆鑫LX150")
HEADER = (
    "序号",
    "号牌号码",
    "车辆类型",
    "使用性质",
    "品牌型号",
    "初次登记日期",
    "机动车状态",
    "所有人",
    "身份证明号码",
    "住所地址",
)


LAYOUT = Layout(title="机动车登记信息", header=HEADER, page=5_000)


@dataclass(slots=True)
class Vehicle:
    """One row of the register, with what is true of it."""

    plate: str
    kind: str
    model: str
    registered_on: date
    status: str
    owner: str
    number: str
    address: str
    question: Question | None = None
    person_no: int | None = None
    number_is_right: bool = True
    written_date: str = ""

    def row(self) -> list[str]:
        return [
            self.plate,
            self.kind,
            "非营运",
            self.model,
            self.written_date or f"{self.registered_on:%Y-%m-%d}",
            self.status,
            self.owner,
            self.number,
            self.address,
        ]


def deliver(cast: Cast, county: County, rows: int) -> Delivery:
    """The register of the whole county, of about `rows` vehicles."""
    random, plates = cast.random, _plates(cast.random)
    vehicles = [vehicle for home in county.homes for vehicle in _of_family(cast, home, county, plates)]
    vehicles += _under_a_neighbours_number(cast, county, plates)
    while len(vehicles) < rows:
        vehicles.append(_of_stranger(random, county, plates))
    random.shuffle(vehicles)
    owners = {member.person_no: member for member in county.residents}
    for vehicle in vehicles:
        _slip(random, vehicle)
        if vehicle.person_no is None:
            continue
        for question in (Question.CAR_BEFORE, Question.CAR_AFTER):
            subject = Subject(question, person_no=vehicle.person_no, record=vehicle.plate)
            if vehicle.question == question:
                cast.truth.facts.add(subject)
            elif vehicle.question is None:
                cast.truth.near_misses.add(subject)
            if not vehicle.number_is_right:
                cast.truth.blur(owners[vehicle.person_no], question, record=vehicle.plate)
    return LAYOUT.as_csv(random, county.name, [vehicle.row() for vehicle in vehicles])


def _plates(random: Random) -> Iterator[str]:
    letters = "ABCDEFGHJKLMNPQRSTUVWXYZ0123456789"
    seen: set[str] = set()
    for _ in count():
        plate = "桂M" + "".join(random.choices(letters, k=5))
        if plate not in seen:
            seen.add(plate)
            yield plate


def _between(random: Random, first: date, last: date) -> date:
    return first + timedelta(days=random.randrange(0, max(1, (last - first).days + 1)))


def _model(random: Random, kind: str) -> str:
    return random.choice(CAR_MODELS if kind in CARS else MOTORCYCLE_MODELS)


def _of_family(cast: Cast, home: Home, county: County, plates: Iterator[str]) -> Iterator[Vehicle]:
    """What a registered family drives, and what those who left it drive."""
    random = cast.random
    garage = _Garage(random, home, county.name, plates)
    drivers = [member for member in home.present if 18 <= member.age <= 70 and not member.cast]
    if drivers:
        yield from garage.car_of(random.choice(drivers))
        if random.random() < 0.45:
            bike = random.choice(MOTORCYCLES)
            yield garage.bought(random.choice(drivers), bike, _between(random, date(2008, 1, 1), DAY))
    for member in home.members:
        if member.cast:
            continue
        if not member.lives_in_household:
            if random.random() < 0.12:  # married out or died: the car is not this household's
                yield garage.bought(member, random.choice(CARS), _between(random, date(2012, 1, 1), DAY))
        elif member.disabled and member.age >= 18 and random.random() < 0.15:
            yield garage.bought(member, SCOOTER, _between(random, date(2010, 1, 1), DAY))


@dataclass(frozen=True, slots=True)
class _Garage:
    """Writes the vehicles of one home."""

    random: Random
    home: Home
    county_name: str
    plates: Iterator[str]

    def bought(
        self, owner: Resident, kind: str, on: date, status: str = IN_USE, question: Question | None = None
    ) -> Vehicle:
        return Vehicle(
            plate=next(self.plates),
            kind=kind,
            model=_model(self.random, kind),
            registered_on=on,
            status=status,
            owner=owner.name,
            number=owner.number,
            address=f"{self.county_name}{self.home.hamlet}",
            question=question,
            person_no=owner.person_no,
        )

    def car_of(self, owner: Resident) -> Iterator[Vehicle]:
        """Most have none; some had one at identification, some bought one later, some had scrapped theirs."""
        draw, kind = self.random.random(), self.random.choice(CARS)
        if draw < 0.020:
            yield self.bought(owner, kind, self._before(), question=Question.CAR_BEFORE)
        elif draw < 0.080:
            question = None if self.home.has_left_poverty else Question.CAR_AFTER
            yield self.bought(owner, kind, self._after(), question=question)
        elif draw < 0.095:
            yield self.bought(owner, kind, self._before(), self.random.choice((SCRAPPED, CANCELLED, MOVED)))

    def _before(self) -> date:
        """A day up to the end of the year of identification, the last day more often than chance would."""
        last = date(self.home.identified_year, 12, 31)
        return last if self.random.random() < 0.06 else _between(self.random, date(2006, 1, 1), last)

    def _after(self) -> date:
        first = date(self.home.identified_year + 1, 1, 1)
        return first if self.random.random() < 0.06 else _between(self.random, first, DAY)


def _of_stranger(random: Random, county: County, plates: Iterator[str]) -> Vehicle:
    male = random.random() < 0.8
    born = DAY - timedelta(days=random.randrange(18 * 365, 70 * 365))
    kind = random.choice(CARS if random.random() < 0.4 else MOTORCYCLES)
    return Vehicle(
        plate=next(plates),
        kind=kind,
        model=_model(random, kind),
        registered_on=_between(random, date(2005, 1, 1), DAY),
        status=random.choices((IN_USE, SCRAPPED, CANCELLED, MOVED), weights=(88, 5, 4, 3))[0],
        owner=names.full(random, male=male),
        number=county.numbers.take(born, male=male),
        address=county.name,
    )


def _under_a_neighbours_number(cast: Cast, county: County, plates: Iterator[str]) -> list[Vehicle]:
    """A few strangers' cars that somebody filed under a registered person's number."""
    mixed_up = []
    for _home, resident in cast.take(grown, 12):
        vehicle = _of_stranger(cast.random, county, plates)
        if vehicle.owner != resident.name:
            vehicle.number, vehicle.person_no = resident.number, resident.person_no
            mixed_up.append(vehicle)
    return mixed_up


def _slip(random: Random, vehicle: Vehicle) -> None:
    """What the keepers of the register and their spreadsheet did to one row."""
    vehicle.number, vehicle.number_is_right = slips.number(random, vehicle.number)
    vehicle.owner = slips.name(random, vehicle.owner)
    vehicle.written_date = slips.day(random, vehicle.registered_on)
    if vehicle.question is None and random.random() < 0.002:
        vehicle.written_date = random.choice(("2013-02-30", "不详", "201"))
