"""A synthetic county: registered households, their people, and what happened to them.

Built from a seed, the same everywhere. Division names are real; the people are not: their
identity numbers carry a county code with its city digits raised by 50, which was never
assigned (domain.md §3.2). What happens in a life (a car bought, a car scrapped, a marriage out)
is decided here, with dates. Nothing in this module knows a comparison rule.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from random import Random

from wanjia.demo import names
from wanjia.kernel.identity import check_character

DAY = date(2020, 9, 30)  # the day on which the county's life is looked at: the end of the collection year

HEAD, SPOUSE, SON, DAUGHTER, SONS_WIFE = "01", "02", "03", "04", "05"
GRANDSON, GRANDDAUGHTER, FATHER, MOTHER = "07", "08", "11", "12"
NORMAL, DIED, MOVED_OUT = "1", "2", "3"
EXITED = ("1", "4")  # poverty status: exited, with or without policy


@dataclass(slots=True)
class Resident:
    """A registered person."""

    name: str
    number: str
    male: bool
    born_on: date
    relation: str
    ethnicity: str
    member_status: str = NORMAL
    left_on: date | None = None
    disabled: bool = False
    person_no: int = 0
    cast: bool = False  # has a part in the county's story, so chance leaves him alone
    # What the register says where it is wrong or more than the life itself:
    registered_name: str = ""
    registered_number: str = ""
    health: str = ""
    on_dibao: bool = False
    on_tekun: bool = False
    # What has happened without the register hearing of it:
    died_on: date | None = None
    hukou_elsewhere: bool = False

    @property
    def age(self) -> int:
        return DAY.year - self.born_on.year - ((DAY.month, DAY.day) < (self.born_on.month, self.born_on.day))

    @property
    def lives_in_household(self) -> bool:
        return self.member_status == NORMAL


@dataclass(slots=True)
class Home:
    """A registered household, as the registry holds it at the end of 2019 and as it lives on."""

    village_code: str
    hamlet: str
    members: list[Resident]
    identified_year: int
    exit_year: int | None
    poverty_status: str
    category: str
    main_cause: str
    return_year: int | None = None
    yearly_income: dict[int, Income] = field(default_factory=dict)
    household_no: int = 0
    cast: bool = False  # somebody of it has a part

    @property
    def ordinary(self) -> bool:
        """Poor, and supported by nothing else."""
        return self.category == "01"

    @property
    def present(self) -> list[Resident]:
        return [member for member in self.members if member.lives_in_household]

    @property
    def has_left_poverty(self) -> bool:
        return self.poverty_status in EXITED

    def status_in(self, year: int) -> str:
        """The poverty status at the end of a past year."""
        if self.return_year is not None and year >= self.return_year:
            return "3"
        return "1" if self.exit_year is not None and year >= self.exit_year else "0"

    @property
    def head(self) -> Resident:
        return self.members[0]


@dataclass(frozen=True, slots=True)
class Income:
    """A household's income of one collection year, in fen."""

    wage: int
    business: int
    property: int
    transfer: int
    expense: int


class Numbers:
    """Hands out identity numbers that fit birthday and sex, each once."""

    def __init__(self, random: Random, county_code: str) -> None:
        raised = f"{county_code[:2]}{int(county_code[2:4]) + 50:02d}"
        self._prefixes = [raised + county_code[4:]] * 12 + [raised + "21", raised + "26", raised + "29"]
        self._random = random
        self._used: set[str] = set()

    def take(self, born_on: date, *, male: bool) -> str:
        """A number nobody else has."""
        prefix = self._random.choice(self._prefixes)
        while True:
            serial = self._random.randrange(0, 499) * 2 + (1 if male else 0)
            body = f"{prefix}{born_on:%Y%m%d}{serial:03d}"
            if serial < 996 and body not in self._used:
                self._used.add(body)
                return body + check_character(body)


@dataclass(frozen=True, slots=True)
class County:
    """The synthetic county."""

    code: str
    name: str
    homes: Sequence[Home]
    numbers: Numbers
    left_out: dict[int, tuple[str, str]] = field(default_factory=dict)  # by household: name and number

    @property
    def residents(self) -> Iterator[Resident]:
        return (member for home in self.homes for member in home.members)


def build(*, random: Random, county_code: str, county_name: str, villages: Sequence[str], people: int) -> County:
    """A county with about `people` registered people spread over `villages` (12-digit codes, in order)."""
    numbers = Numbers(random, county_code)
    homes: list[Home] = []
    wanted = _share_out(random, people, len(villages))
    for village, share in zip(villages, wanted, strict=True):
        settled = 0
        while settled < share:
            home = _home(random, numbers, village)
            homes.append(home)
            settled += len(home.members)
    person_no = 0
    for household_no, home in enumerate(homes, start=1):
        home.household_no = household_no
        for member in home.members:
            person_no += 1
            member.person_no = person_no
    return County(code=county_code, name=county_name, homes=homes, numbers=numbers)


def _share_out(random: Random, people: int, parts: int) -> list[int]:
    weights = [0.4 + random.random() for _ in range(parts)]
    whole = sum(weights)
    return [round(people * weight / whole) for weight in weights]


def _birthday(random: Random, age: int) -> date:
    return DAY - timedelta(days=round(age * 365.25) + random.randrange(1, 365))


def _home(random: Random, numbers: Numbers, village: str) -> Home:
    members = _family(random, numbers)
    identified = random.choices([2014, 2015, 2016, 2017, 2018, 2019], weights=[20, 48, 14, 9, 6, 3])[0]
    status, exit_year, return_year = _standing(random, identified)
    home = Home(
        village_code=village,
        hamlet=f"{random.choice('弄拉加古巴板那龙')}{random.choice('王色祥丁立元林芽')}屯",
        members=members,
        identified_year=identified,
        exit_year=exit_year,
        return_year=return_year,
        poverty_status=status,
        category=random.choices(["01", "04", "06"], weights=[70, 27, 3])[0],
        main_cause=random.choices(["01", "02", "03", "05", "07", "08", "09"], weights=[16, 12, 18, 4, 26, 12, 12])[0],
    )
    home.yearly_income = {year: _income(random, home, year) for year in range(identified, 2020)}
    _departures(random, home)
    return home


def _standing(random: Random, identified: int) -> tuple[str, int | None, int | None]:
    """Poverty status by September 2020, the year of the latest exit, and of a return."""
    draw = random.random()
    if draw < 0.04:
        return "0", None, None
    wanted = random.choices([2016, 2017, 2018, 2019, 2020], [12, 14, 24, 32, 18])[0]
    exit_year = min(2020, max(identified + 1, wanted))
    if draw < 0.05 and exit_year < 2019:
        return "3", exit_year, 2019
    if exit_year == 2020:
        return "2", None, None  # listed for this year's exit
    return ("4" if exit_year == 2016 and random.random() < 0.5 else "1"), exit_year, None


def _family(random: Random, numbers: Numbers) -> list[Resident]:
    family = names.surname(random)
    ethnicity = random.choices(["08", "13", "01", "06"], weights=[70, 22, 7, 1])[0]
    members: list[Resident] = []

    def join(relation: str, age: int, *, male: bool, name: str | None = None) -> None:
        born = _birthday(random, max(age, 0))
        shown = name or names.full(random, male=male, family=family)
        members.append(
            Resident(
                name=shown,
                number=numbers.take(born, male=male),
                male=male,
                born_on=born,
                relation=relation,
                ethnicity=ethnicity,
                disabled=random.random() < 0.05,
            )
        )

    age = random.choices([28, 36, 44, 52, 60, 70], weights=[6, 18, 26, 22, 16, 12])[0] + random.randrange(0, 8)
    male = random.random() < 0.86
    join(HEAD, age, male=male, name=names.full(random, male=male))
    if random.random() < 0.8:
        wife = not male
        join(SPOUSE, age - random.randrange(-2, 5), male=wife, name=names.full(random, male=wife))
    if age < 52:
        for _ in range(random.choices([0, 1, 2, 3], weights=[10, 25, 45, 20])[0]):
            boy = random.random() < 0.53
            join(SON if boy else DAUGHTER, random.randrange(0, max(1, age - 21)), male=boy)
        if random.random() < 0.38:
            join(FATHER, age + random.randrange(20, 30), male=True)
        if random.random() < 0.46:
            join(MOTHER, age + random.randrange(19, 28), male=False, name=names.full(random, male=False))
    else:
        for _ in range(random.choices([0, 1, 2], weights=[30, 45, 25])[0]):
            join(SON, age - random.randrange(21, 32), male=True)
        if len(members) > 2 and random.random() < 0.6:
            join(SONS_WIFE, age - 26, male=False, name=names.full(random, male=False))
            for _ in range(random.choices([0, 1, 2], weights=[20, 45, 35])[0]):
                boy = random.random() < 0.53
                join(GRANDSON if boy else GRANDDAUGHTER, random.randrange(0, 14), male=boy)
    return members


def _income(random: Random, home: Home, year: int) -> Income:
    growth = 1.0 + 0.13 * (year - 2014)
    workers = sum(1 for member in home.members if 18 <= member.age - (2020 - year) <= 62)
    wage = int(workers * random.randrange(2_000, 11_000) * growth)
    business = int(random.randrange(800, 6_500) * growth)
    transfer = random.randrange(200, 3_500) + (2_400 if home.category != "01" else 0)
    return Income(
        wage=wage * 100,
        business=business * 100,
        property=random.choice([0, 0, 0, 300, 600, 1_000]) * 100,
        transfer=transfer * 100,
        expense=int(business * random.uniform(0.15, 0.5)) * 100,
    )


def _departures(random: Random, home: Home) -> None:
    """Deaths and marriages out since identification; the registry already knows of them."""
    for member in home.members[1:]:
        earliest = date(home.identified_year + 1, 1, 1)
        if member.relation in (FATHER, MOTHER) and random.random() < 0.08:
            member.member_status = DIED
        elif member.relation == DAUGHTER and 21 <= member.age <= 35 and random.random() < 0.4:
            member.member_status = MOVED_OUT
        else:
            continue
        member.left_on = earliest + timedelta(days=random.randrange(0, max(1, (DAY - earliest).days)))
