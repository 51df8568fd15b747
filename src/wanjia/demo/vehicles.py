"""Vehicles in the county's lives, and the register's file about them, as messy as such files are.

First what happened (who bought what, when, and what became of it), then the rows the register
holds, then the slips of the people who keep the register and of the spreadsheet it went through.
The truth is written down before the slips are made.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum
from itertools import count
from random import Random

from wanjia.demo import names
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


class Fate(StrEnum):
    """What a family's vehicle means, decided when the life was written."""

    CAR_BEFORE = "car_before_identification"  # bought by the end of the year of identification, still driven
    CAR_AFTER = "car_after_identification"  # bought later by a family that has not left poverty, still driven
    NOTHING = "nothing"  # motorcycles, scrapped cars, cars of those who left the household or left poverty first …


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
    fate: Fate = Fate.NOTHING
    person_no: int | None = None
    number_is_right: bool = True
    written_date: str = ""

    def row(self, serial: int) -> list[str]:
        return [
            str(serial),
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


@dataclass(frozen=True, slots=True)
class Truth:
    """A planted fact: this person drives this car, since before or after identification.

    `findable` says whether the register's row carries the person's right number, however it is
    written (small x, full width, quoted); a typo or an old 15-digit number is not.
    """

    person_no: int
    plate: str
    fate: Fate
    findable: bool


@dataclass(frozen=True, slots=True)
class VehicleFile:
    """The register's delivery and what is true about it."""

    content: bytes
    truth: tuple[Truth, ...]
    lines: int


def deliver(*, random: Random, county: County, rows: int) -> VehicleFile:
    """The register of the whole county as a GB18030 CSV of about `rows` data lines."""
    plates = _plates(random)
    vehicles = [vehicle for home in county.homes for vehicle in _of_family(random, home, county, plates)]
    vehicles += _under_a_neighbours_number(random, county, plates)
    while len(vehicles) < rows:
        vehicles.append(_of_stranger(random, county, plates))
    random.shuffle(vehicles)
    for vehicle in vehicles:
        _slip(random, vehicle)
    truth = tuple(
        sorted(
            (
                Truth(vehicle.person_no, vehicle.plate, vehicle.fate, vehicle.number_is_right)
                for vehicle in vehicles
                if vehicle.person_no is not None and vehicle.fate is not Fate.NOTHING
            ),
            key=lambda item: (item.person_no, item.plate),
        )
    )
    text = "".join(_lines(random, county, vehicles))
    return VehicleFile(content=text.encode("gb18030"), truth=truth, lines=text.count("\r\n"))


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


def _of_family(random: Random, home: Home, county: County, plates: Iterator[str]) -> Iterator[Vehicle]:
    """What a registered family drives, and what those who left it drive."""
    garage = _Garage(random, home, county.name, plates)
    drivers = [member for member in home.present if 18 <= member.age <= 70]
    if drivers:
        yield from garage.car_of(random.choice(drivers))
        if random.random() < 0.45:
            bike = random.choice(MOTORCYCLES)
            yield garage.bought(random.choice(drivers), bike, _between(random, date(2008, 1, 1), DAY))
    for member in home.members:
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

    def bought(self, owner: Resident, kind: str, on: date, status: str = IN_USE, fate: Fate = Fate.NOTHING) -> Vehicle:
        return Vehicle(
            plate=next(self.plates),
            kind=kind,
            model=_model(self.random, kind),
            registered_on=on,
            status=status,
            owner=owner.name,
            number=owner.number,
            address=f"{self.county_name}{self.home.hamlet}",
            fate=fate,
            person_no=owner.person_no,
        )

    def car_of(self, owner: Resident) -> Iterator[Vehicle]:
        """Most have none; some had one at identification, some bought one later, some had scrapped theirs."""
        draw, kind = self.random.random(), self.random.choice(CARS)
        if draw < 0.020:
            yield self.bought(owner, kind, self._before(), fate=Fate.CAR_BEFORE)
        elif draw < 0.080:
            fate = Fate.NOTHING if self.home.has_left_poverty else Fate.CAR_AFTER
            yield self.bought(owner, kind, self._after(), fate=fate)
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


def _under_a_neighbours_number(random: Random, county: County, plates: Iterator[str]) -> list[Vehicle]:
    """A few strangers' cars that somebody filed under a registered person's number."""
    residents = [member for home in county.homes for member in home.present]
    mixed_up = []
    for resident in random.sample(residents, k=min(len(residents), 12)):
        vehicle = _of_stranger(random, county, plates)
        if vehicle.owner != resident.name:
            vehicle.number = resident.number
            mixed_up.append(vehicle)
    return mixed_up


def _slip(random: Random, vehicle: Vehicle) -> None:
    """What the keepers of the register and their spreadsheet did to one row."""
    draw = random.random()
    number = vehicle.number
    if draw < 0.012:
        at = random.randrange(6, 17)
        wrong = random.choice([digit for digit in "0123456789" if digit != number[at]])
        vehicle.number, vehicle.number_is_right = number[:at] + wrong + number[at + 1 :], False
    elif draw < 0.020 and number[6:8] == "19":
        vehicle.number, vehicle.number_is_right = number[:6] + number[8:17], False
    elif draw < 0.024:
        vehicle.number, vehicle.number_is_right = f"{int(number[:17] + '0'):.5E}", False
    elif draw < 0.028:
        vehicle.number, vehicle.number_is_right = "", False
    elif draw < 0.060:
        vehicle.number = random.choice(
            (
                f'="{number}"',
                f"'{number}",
                f" {number}\t",
                number.lower(),
                number.translate(_FULL_WIDTH),
                f"\u3000{number}",
            )
        )
    draw = random.random()
    if draw < 0.01 and len(vehicle.owner) == 2:
        vehicle.owner = f"{vehicle.owner[0]} {vehicle.owner[1]}"
    elif "·" in vehicle.owner:
        vehicle.owner = vehicle.owner.replace("·", random.choice("•‧・"))
    elif draw < 0.013:
        vehicle.owner = vehicle.owner + "(户主)"
    _slip_of_date(random, vehicle)


def _slip_of_date(random: Random, vehicle: Vehicle) -> None:
    on, draw = vehicle.registered_on, random.random()
    if draw < 0.10:
        vehicle.written_date = f"{on.year}/{on.month}/{on.day}"
    elif draw < 0.14:
        vehicle.written_date = f"{on:%Y%m%d}"
    elif draw < 0.17:
        vehicle.written_date = f"{on.year}年{on.month}月{on.day}日"
    elif draw < 0.18:
        vehicle.written_date = f"{on.year}.{on.month}.{on.day}"
    elif draw < 0.185:
        vehicle.written_date = f"{on:%Y-%m-%d} 00:00:00"
    elif draw < 0.187 and vehicle.fate is Fate.NOTHING:
        vehicle.written_date = random.choice(("2013-02-30", "不详", "201"))


_FULL_WIDTH = str.maketrans("0123456789X", "０１２３４５６７８９Ｘ")


def _lines(random: Random, county: County, vehicles: Sequence[Vehicle]) -> Iterator[str]:
    yield _line([f"{county.name}机动车登记信息(截至2020年9月30日)", *[""] * (len(HEADER) - 1)])
    yield _line(HEADER)
    page = 5_000
    for serial, vehicle in enumerate(vehicles, start=1):
        if serial > 1 and serial % page == 1:
            yield _line(HEADER)  # the export repeats its header on every page
        yield _line(vehicle.row(serial))
        if random.random() < 0.0002:
            yield _line([""] * len(HEADER))
    yield _line(["合计", f"{len(vehicles)}辆", *[""] * (len(HEADER) - 2)])
    yield _line(["说明:数据来源于机动车登记系统,仅供比对使用", *[""] * (len(HEADER) - 1)])


def _line(cells: Sequence[str]) -> str:
    buffer = io.StringIO()
    csv.writer(buffer, lineterminator="\r\n").writerow(cells)
    return buffer.getvalue()
