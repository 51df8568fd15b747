"""A household's income per head as stacked bars, one a year, with the line of that year: where each piece lies."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from wanjia.registry.income import per_head
from wanjia.registry.models import HouseholdYear

WIDTH, HEIGHT, LEFT, TOP, BOTTOM = 640, 240, 64, 16, 28  # of the drawing, and what its labels take
WIDEST_BAR = 72
STEPS = (1, 2, 5)


@dataclass(frozen=True, slots=True)
class Piece:
    """One part of a bar: the kind of income and where it is drawn."""

    kind: str
    y: int
    height: int
    amount: int  # fen a head


@dataclass(frozen=True, slots=True)
class Bar:
    """One year. `line_y` is where the year's line lies, if there is one."""

    year: int
    x: int
    width: int
    pieces: tuple[Piece, ...]
    net: int  # fen a head
    line: int | None
    line_y: int | None

    @property
    def middle(self) -> int:
        return self.x + self.width // 2

    @property
    def right(self) -> int:
        return self.x + self.width


@dataclass(frozen=True, slots=True)
class Chart:
    """Bars of the years that have an income, oldest first, and the axis they stand on."""

    bars: tuple[Bar, ...]
    ticks: tuple[tuple[str, int], ...]  # whole yuan, height
    width: int = WIDTH
    height: int = HEIGHT
    left: int = LEFT
    floor: int = HEIGHT - BOTTOM

    @property
    def last(self) -> Bar:
        return self.bars[-1]


def income_chart(years: Sequence[HouseholdYear], line_of: Callable[[int], int | None]) -> Chart | None:
    """The chart of a household's years; None where no income per head is known.

    `line_of` gives a year's line in fen a head. What business cost is taken off the bar's business part,
    so the pieces add up to the net income unless business made a loss, which a bar cannot show.
    """
    known = [year for year in years if year.net_income_per_head is not None]
    if not known:
        return None
    parts = [_parts(year) for year in known]
    lines = [line_of(year.year) for year in known]
    highest = max([sum(amount for _, amount in each) for each in parts] + [line or 0 for line in lines] + [1])
    step = _step(highest)
    top = -(-highest // step) * step
    scale = (HEIGHT - TOP - BOTTOM) / top
    room = (WIDTH - LEFT) // len(known)
    width = min(WIDEST_BAR, room * 2 // 3)
    bars = tuple(
        Bar(
            year=year.year,
            x=LEFT + place * room + (room - width) // 2,
            width=width,
            pieces=_stacked(each, scale),
            net=year.net_income_per_head or 0,
            line=line,
            line_y=None if line is None else _height(line, scale),
        )
        for place, (year, each, line) in enumerate(zip(known, parts, lines, strict=True))
    )
    ticks = tuple((f"{amount // 100:,}", _height(amount, scale)) for amount in range(0, top + 1, step))
    return Chart(bars, ticks)


def _parts(year: HouseholdYear) -> list[tuple[str, int]]:
    business = (year.business_income or 0) - (year.business_expense or 0)
    amounts = (
        ("wage", year.wage_income or 0),
        ("business", max(0, business)),
        ("property", year.property_income or 0),
        ("transfer", year.transfer_income or 0),
    )
    return [(kind, per_head(amount, year.member_count) or 0) for kind, amount in amounts]


def _stacked(parts: Sequence[tuple[str, int]], scale: float) -> tuple[Piece, ...]:
    pieces, below = [], 0
    for kind, amount in parts:
        y = _height(below + amount, scale)
        if amount:
            pieces.append(Piece(kind, y, _height(below, scale) - y, amount))
        below += amount
    return tuple(pieces)


def _height(amount: int, scale: float) -> int:
    return round(HEIGHT - BOTTOM - amount * scale)


def _step(highest: int) -> int:
    """A round amount in whole yuan, of which four or so reach the highest."""
    power = 100
    while True:
        for step in STEPS:
            if step * power * 5 >= highest:
                return step * power
        power *= 10
