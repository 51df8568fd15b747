"""What the register has wrong about its own people: numbers mistyped, people entered twice.

Written before the departments' files, because what a department holds is about the person and not
about the mistake.
"""

from __future__ import annotations

from datetime import date, timedelta

from wanjia.demo.truth import Cast, Question, Subject, grown
from wanjia.demo.world import DAUGHTER, DAY, HEAD, MOVED_OUT, SONS_WIFE, Home, Resident
from wanjia.kernel.identity import check_character


def enter(cast: Cast) -> None:
    """Make the register's mistakes."""
    _wrong_numbers(cast)
    _twice(cast)


def _wrong_numbers(cast: Cast) -> None:
    for turn, (home, member) in enumerate(cast.take(_ordinary)):
        right = member.number
        at = cast.random.randrange(8, 16)
        member.registered_number = (
            right[:at] + right[at + 1 :],  # a digit left out
            right[:17] + str((int(check_character(right[:17]).replace("X", "9")) + 1) % 10),  # the last one wrong
            f"{right[:10]}13{right[12:]}",  # a thirteenth month
        )[turn % 3]
        cast.truth.about(Question.NUMBER_WRONG, member)
        # The household book has him under his right number, which the register has not.
        cast.truth.facts.add(Subject(Question.LEFT_OUT, household_no=home.household_no))
    for _home, member in cast.take(lambda home, one: _ordinary(home, one) and one.number.endswith("X")):
        member.registered_number = member.number.lower()
        cast.truth.nearly(Question.NUMBER_WRONG, member)


def _twice(cast: Cast) -> None:
    """Married daughters whom the old household still lists while the new one has them already."""
    truth, question = cast.truth, Question.REGISTERED_TWICE
    daughters = list(cast.take(lambda home, one: _ordinary(home, one) and one.relation == DAUGHTER, cast.each * 2))
    wives = cast.take(lambda home, one: _ordinary(home, one) and one.relation == SONS_WIFE, cast.each * 2)
    for turn, ((home, daughter), (_, wife)) in enumerate(zip(daughters, wives, strict=False)):
        _be_the_same(wife, daughter)
        if turn % 2:
            daughter.member_status, daughter.left_on = MOVED_OUT, _married_on(home, daughter, turn)
            truth.nearly(question, daughter)
            truth.nearly(question, wife)
        else:
            truth.about(question, daughter)
            truth.about(question, wife)


def _married_on(home: Home, daughter: Resident, turn: int) -> date:
    """A day after her household was identified and she was grown, as the register tells it."""
    spring = date(max(home.identified_year + 1, daughter.born_on.year + 20), 2, 1) + timedelta(days=9 * turn % 240)
    return min(spring, DAY - timedelta(days=turn % 30))


def _be_the_same(one: Resident, other: Resident) -> None:
    one.name, one.number, one.born_on, one.male = other.name, other.number, other.born_on, other.male
    one.hukou_elsewhere = True  # the book she is in is the other household's


def _ordinary(home: Home, member: Resident) -> bool:
    return home.ordinary and grown(home, member) and not member.disabled and member.relation != HEAD
