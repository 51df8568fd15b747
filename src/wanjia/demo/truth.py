"""What is true of the invented county, as questions a comparison may be asked.

A fact is written when the life is written, before any department's file and before its slips. A
near miss looks like a fact and is none. Nothing here knows a rule; which rule asks which question
is said once, in `wanjia.demo.line`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from random import Random

from wanjia.demo.world import Home, Resident


class Question(StrEnum):
    """What may be the matter with a registered person or household."""

    PAID_POST = "paid_post"  # an official post, held when the household was identified
    CAR_BEFORE = "car_before_identification"
    CAR_AFTER = "car_after_identification"  # of a family that has not left poverty
    TOWN_PROPERTY = "town_property"  # owned when the household was identified
    COMPANY = "company"  # run or partly owned when the household was identified
    NUMBER_WRONG = "number_wrong"  # the registered identity number cannot be one
    NAME_DIFFERS = "name_differs"  # the number belongs to somebody of another name
    NUMBER_UNKNOWN = "number_unknown"  # nobody in the hukou register has the number
    DEAD = "dead"  # and still registered as a member
    HUKOU_ENDED = "hukou_ended"  # moved out of the county or cancelled, still registered as a member
    REGISTERED_TWICE = "registered_twice"
    LEFT_OUT = "left_out"  # the household book has somebody whom the register has not
    IN_ANOTHER_BOOK = "in_another_book"  # a close relative of the head, living in another book
    DIBAO_UNREGISTERED = "dibao_unregistered"
    DIBAO_UNPAID = "dibao_unpaid"  # registered as receiving it
    TEKUN_UNREGISTERED = "tekun_unregistered"
    TEKUN_UNPAID = "tekun_unpaid"
    CERTIFICATE_UNREGISTERED = "certificate_unregistered"
    CERTIFICATE_MISSING = "certificate_missing"  # registered as disabled


@dataclass(frozen=True, slots=True, order=True)
class Subject:
    """Whom an answer is about: a person, or a household where the question is about one. `record` a plate."""

    question: Question
    person_no: int = 0
    household_no: int = 0
    record: str = ""


@dataclass(slots=True)
class Truth:
    """The facts and near misses of a county.

    `blurred` are those about which a department's row no longer says what is so, because the
    number on it was mistyped: neither finding them nor missing them counts.
    """

    facts: set[Subject] = field(default_factory=set)
    near_misses: set[Subject] = field(default_factory=set)
    blurred: set[Subject] = field(default_factory=set)

    def about(self, question: Question, resident: Resident, record: str = "") -> None:
        self.facts.add(Subject(question, person_no=resident.person_no, record=record))

    def nearly(self, question: Question, resident: Resident, record: str = "") -> None:
        self.near_misses.add(Subject(question, person_no=resident.person_no, record=record))

    def blur(self, resident: Resident, *questions: Question, record: str = "") -> None:
        self.blurred |= {Subject(question, person_no=resident.person_no, record=record) for question in questions}

    def judge(self, found: set[Subject]) -> Judged:
        """How right a set of answers is."""
        wanted, answered = self.facts - self.blurred, found - self.blurred
        flagged = (found & self.near_misses) - self.blurred
        return Judged(
            recall=round(len(answered & wanted) / len(wanted), 6) if wanted else 1.0,
            precision=round(len(answered & wanted) / len(answered), 6) if answered else 1.0,
            near_misses_flagged=len(flagged),
            missed=tuple(sorted(wanted - answered)),
            wrong=tuple(sorted(answered - wanted)),
        )


@dataclass(frozen=True, slots=True)
class Judged:
    """Recall and precision over plants whose row carries the right number, and near misses taken for plants."""

    recall: float
    precision: float
    near_misses_flagged: int
    missed: tuple[Subject, ...]
    wrong: tuple[Subject, ...]


Wanted = Callable[[Home, Resident], bool]


class Cast:
    """Hands out registered people for parts in the county's story, nobody twice.

    Whoever has a part has `Resident.cast` set, and leaves the rest of the county's chances alone.
    """

    def __init__(self, random: Random, homes: Sequence[Home], each: int) -> None:
        self.random = random
        self.truth = Truth()
        self.each = each  # plants of every question, and as many near misses
        self._waiting = [(home, member) for home in homes for member in home.present]
        random.shuffle(self._waiting)

    def take(self, wanted: Wanted, count: int | None = None) -> Iterator[tuple[Home, Resident]]:
        """So many people of the wanted kind, from homes nobody has a part in yet; fewer if there are no more."""
        left = self.each if count is None else count
        for home, member in self._waiting:
            if left == 0:
                return
            if not home.cast and wanted(home, member):
                home.cast = member.cast = True
                left -= 1
                yield home, member


def grown(home: Home, member: Resident) -> bool:  # noqa: ARG001 - one of several questions to a member
    """An adult of working age or older."""
    return 18 <= member.age <= 75
