"""Resident identity numbers and disability certificates: read, judged, never guessed (domain.md §3.2, §3.3).

Three readings of one cell, from the mechanical to the meaningful:

- `normalise` undoes what files do to text (§18 traps 3, 4 and the case of x). It changes no digit.
- `key_text` is what a `person_key` is taken of: the normalised text, cut to the person. No
  repair happens before it, so a wrong but identical number in two sources still matches.
- `judge` says what the number is, whether it is sound, and what is wrong with it. Where a repair
  can be proven (15 digits, look-alike letters) it offers a suggestion and does not apply it.

`tests/vectors/identity.json` is the table every other form of these functions (SQL, bulk) must pass.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

NUMBER_LENGTH = 18
CERTIFICATE_LENGTHS = (20, 22)  # 22: re-issued, a letter and a digit more
OLD_LENGTH = 15
FIRST_YEAR = 1900  # (D)
MALE, FEMALE = "1", "2"  # GB/T 2261.1

WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
CHECK_CHARACTERS = "10X98765432"

# Sequences kept in 15-digit numbers for people born in the 1800s (K).
CENTENARIANS = range(996, 1000)

# Written instead of a number, compared after normalising.
_DASHES = ("-", "--", "—", "/", ".", "?")
_WORDS = (
    "无",
    "暂无",
    "无证件",
    "无身份证",
    "未办理",
    "不详",
    "未知",
    "空",
    "NULL",
    "NONE",
    "NAN",
    "NA",
    "N/A",
    "#N/A",
)
PLACEHOLDER_WORDS = frozenset((*_WORDS, *_DASHES))
PLACEHOLDER_NUMBERS = frozenset(("123456789012345678", "12345678901234567X", "123456789012345"))

# Letters that stand where a digit or X belongs, as they look after normalising (§18 trap 5).
_AS_X, _AS_0, _AS_1 = "×✕✖ХхΧχ", "OОоΟ〇○", "LI|"
LOOK_ALIKES = str.maketrans(_AS_X + _AS_0 + _AS_1, "X" * len(_AS_X) + "0" * len(_AS_0) + "1" * len(_AS_1))

# Spaces of every kind, zero-width and direction marks, control characters, byte-order marks.
_INVISIBLE = re.compile(
    r"[\s\u0000-\u001f\u007f-\u009f\u00ad\u180e\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufe00-\ufe0f\ufeff]+"
)
_QUOTES = "=\"'`‘’“”′"  # ="…", a leading apostrophe, quotes left over from CSV
_UPPER = str.maketrans("abcdefghijklmnopqrstuvwxyz", "ABCDEFGHIJKLMNOPQRSTUVWXYZ")

_HARMLESS_FLOAT = re.compile(r"([0-9]{1,15})\.0+")  # a spreadsheet keeps 15 digits exactly
_SCIENTIFIC = re.compile(r"[0-9](?:\.[0-9]*)?E\+?[0-9]{1,2}")
_LONG_FLOAT = re.compile(r"[0-9]{16,}\.[0-9]*")
_NUMBER = re.compile(r"[0-9]{17}[0-9X]")
_OLD_NUMBER = re.compile(r"[0-9]{15}")
_RUN = re.compile(r"[0-9](?:[ -]?[0-9]){14,}(?:[ -]?X)?")  # digits in a text, perhaps in groups
_CERTIFICATE = re.compile(r"[0-9]{17}[0-9X][0-9]{2}(?:[A-Z][0-9])?")


class Kind(StrEnum):
    """What a text is by its shape."""

    RESIDENT = "resident"  # 18 characters
    RESIDENT_15 = "resident_15"  # issued before 1999
    DISABILITY = "disability"  # 20 characters, or 22 when re-issued
    OTHER = "other"
    NONE = "none"  # nothing, or words and digits that stand for nothing


class Problem(StrEnum):
    """What is wrong with a number; the first of these that applies is reported."""

    EMPTY = "empty"
    PLACEHOLDER = "placeholder"
    RUINED = "ruined"  # passed through a spreadsheet as a number: the last digits are lost
    LENGTH = "length"
    LOOK_ALIKE = "look_alike"  # wrong letters, and with the right ones the check character fits
    CHARACTERS = "characters"
    CENTENARIAN = "centenarian"  # 15 digits, reserved for people born in the 1800s: do not upgrade
    DATE = "date"  # no such day, or before 1900
    FUTURE = "future"
    CHECK = "check"
    OLD_FORM = "old_form"  # 15 digits, sound: upgrade after verification
    DISABILITY_TYPE = "disability_type"
    DISABILITY_GRADE = "disability_grade"


@dataclass(frozen=True, slots=True)
class Judgement:
    """What one number says.

    `text` is the normalised text. `number` is the sound 18-character number in it, or None.
    `valid` means usable as it stands: 18 characters, or a certificate sound in all its parts.
    `born_on`, `sex` and `county` (of first registration: never the present residence, often a
    code no longer in use) are what a well-formed number states. `suggestion` is an
    18-character number to verify, never a fact.
    """

    text: str
    kind: Kind
    number: str | None = None
    valid: bool = False
    problem: Problem | None = None
    born_on: date | None = None
    sex: str | None = None
    county: str | None = None
    disability_type: str | None = None
    disability_grade: str | None = None
    suggestion: str | None = None


def normalise(raw: str) -> str:
    """The text without what files add to it: full width, spaces, invisible marks, quotes, lower case.

    A number of up to 15 digits written `….0` lost nothing and loses the fraction; longer ones
    stay as they are, so that `judge` can name them.
    """
    text = unicodedata.normalize("NFKC", raw)
    text = _INVISIBLE.sub("", text).strip(_QUOTES).translate(_UPPER)
    whole = _HARMLESS_FLOAT.fullmatch(text)
    return whole[1] if whole else text


def check_character(first17: str) -> str:
    """The 18th character for the first 17 digits (GB 11643).

    >>> check_character("45999919900101007")
    'X'
    """
    if len(first17) != len(WEIGHTS) or not (first17.isascii() and first17.isdigit()):
        raise ValueError("the check character needs exactly 17 digits")
    total = sum(int(digit) * weight for digit, weight in zip(first17, WEIGHTS, strict=True))
    return CHECK_CHARACTERS[total % 11]


def key_text(raw: str | None) -> str | None:
    """What the person_key of a number is taken of; None where there is nothing to tell people apart by.

    The first 18 characters of 18, 20 and 22 (a certificate is its holder), any other text as
    normalised. None for empty cells, placeholders, and numbers a spreadsheet has ruined: the
    lost digits are what told neighbours apart, and matching on the rest would join strangers.
    """
    text = normalise(raw or "")
    if not text or is_placeholder(text) or is_ruined(text):
        return None
    return text[:NUMBER_LENGTH] if len(text) in CERTIFICATE_LENGTHS else text


def is_placeholder(text: str) -> bool:
    """Whether a normalised text stands for no number: one character repeated, an area and zeros, 无."""
    if text in PLACEHOLDER_WORDS or text in PLACEHOLDER_NUMBERS or len(set(text)) == 1:
        return True
    return len(text) in (OLD_LENGTH, NUMBER_LENGTH) and set(text[6:]) == {"0"}


def is_ruined(text: str) -> bool:
    """Whether a normalised text has been through a spreadsheet as a number (§18 trap 2).

    `4.59999E+17`, a fraction behind more than 15 digits, or zeros from the 16th digit on that
    do not fit the check character. What was there cannot be known.
    """
    if _SCIENTIFIC.fullmatch(text) or _LONG_FLOAT.fullmatch(text):
        return True
    if not text.isascii() or not text.isdigit() or len(text) not in (NUMBER_LENGTH, *CERTIFICATE_LENGTHS):
        return False
    return set(text[OLD_LENGTH:]) == {"0"} and (len(text) != NUMBER_LENGTH or check_character(text[:17]) != text[17])


def judge(raw: str | None, today: date) -> Judgement:
    """Say what a number is and whether it is sound on the day `today`.

    An unknown county of registration is never a reason to refuse: it may be one of the old
    prefectures, or of another province.
    """
    text = normalise(raw or "")
    if not text or is_placeholder(text):
        return Judgement(text, Kind.NONE, problem=Problem.PLACEHOLDER if text else Problem.EMPTY)
    if is_ruined(text):
        return Judgement(text, Kind.OTHER, problem=Problem.RUINED)
    if len(text) == OLD_LENGTH:
        return _judge_old(text, today)
    if len(text) == NUMBER_LENGTH:
        return _judge_number(text, Kind.RESIDENT, today)
    if len(text) in CERTIFICATE_LENGTHS:
        return _judge_certificate(text, today)
    return Judgement(text, Kind.OTHER, problem=Problem.LENGTH)


def found_in(text: str, today: date) -> list[tuple[int, int]]:
    """Where a text of half width and upper case holds somebody's number: from each first place to the one behind it.

    Eighteen characters anywhere among digits, if date and check character fit (a certificate is its
    holder's number and more). Fifteen only where there are no others around them: nothing but their
    date can fail to fit.
    """
    found: list[tuple[int, int]] = []
    for run in _RUN.finditer(text):
        places = [at for at in range(*run.span()) if text[at] not in " -"]
        parts = _sound_parts("".join(text[at] for at in places), today)
        found += [(places[first], places[end - 1] + 1) for first, end in parts]
    return found


def _sound_parts(run: str, today: date) -> list[tuple[int, int]]:
    found: list[tuple[int, int]] = []
    at = 0
    while at + NUMBER_LENGTH <= len(run):
        end = at + NUMBER_LENGTH
        if run[at + 6 : at + 8] in ("19", "20") and _judge_number(run[at:end], Kind.RESIDENT, today).valid:
            found.append((at, end))
            at = end
        else:
            at += 1
    if len(run) == OLD_LENGTH and _judge_old(run, today).problem in (Problem.OLD_FORM, Problem.CENTENARIAN):
        found.append((0, OLD_LENGTH))
    return found


def _judge_number(text: str, kind: Kind, today: date) -> Judgement:
    """Judge the identity number in the first 18 characters."""
    number = text[:NUMBER_LENGTH]
    if not _NUMBER.fullmatch(number):
        return _judge_characters(text, kind, today)
    born_on = _day(number[6:14])
    problem = _date_problem(born_on, today)
    if problem is None and check_character(number[:17]) != number[17]:
        problem = Problem.CHECK
    return Judgement(
        text,
        kind,
        number=number if problem is None else None,
        valid=problem is None,
        problem=problem,
        born_on=born_on,
        sex=_sex(number[16]),
        county=number[:6],
    )


def _judge_characters(text: str, kind: Kind, today: date) -> Judgement:
    """A number with letters where digits belong: look-alikes if, read as digits, everything fits."""
    mapped = text[:NUMBER_LENGTH].translate(LOOK_ALIKES)
    if _NUMBER.fullmatch(mapped) and _judge_number(mapped, kind, today).valid:
        return Judgement(text, kind, problem=Problem.LOOK_ALIKE, suggestion=mapped)
    return Judgement(text, kind, problem=Problem.CHARACTERS)


def _judge_certificate(text: str, today: date) -> Judgement:
    person = _judge_number(text, Kind.DISABILITY, today)
    if person.problem is not None:
        return person
    problem: Problem | None = None
    category, grade = text[18], text[19]
    if not _CERTIFICATE.fullmatch(text):
        problem = Problem.CHARACTERS
    elif not "1" <= category <= "7":
        problem = Problem.DISABILITY_TYPE
    elif not "1" <= grade <= "4":
        problem = Problem.DISABILITY_GRADE
    return Judgement(
        text,
        Kind.DISABILITY,
        number=person.number,
        valid=problem is None,
        problem=problem,
        born_on=person.born_on,
        sex=person.sex,
        county=person.county,
        disability_type=category if problem is None else None,
        disability_grade=grade if problem is None else None,
    )


def _judge_old(text: str, today: date) -> Judgement:
    if not _OLD_NUMBER.fullmatch(text):
        return Judgement(text, Kind.RESIDENT_15, problem=Problem.CHARACTERS)  # no check character proves a repair
    if int(text[12:]) in CENTENARIANS:
        return Judgement(text, Kind.RESIDENT_15, problem=Problem.CENTENARIAN, sex=_sex(text[14]), county=text[:6])
    first17 = f"{text[:6]}19{text[6:]}"
    born_on = _day(first17[6:14])
    problem = _date_problem(born_on, today) or Problem.OLD_FORM
    return Judgement(
        text,
        Kind.RESIDENT_15,
        problem=problem,
        born_on=born_on,
        sex=_sex(text[14]),
        county=text[:6],
        suggestion=first17 + check_character(first17) if problem is Problem.OLD_FORM else None,
    )


def _day(digits: str) -> date | None:
    try:
        day = date(int(digits[:4]), int(digits[4:6]), int(digits[6:]))
    except ValueError:
        return None
    return day if day.year >= FIRST_YEAR else None


def _date_problem(born_on: date | None, today: date) -> Problem | None:
    if born_on is None:
        return Problem.DATE
    return Problem.FUTURE if born_on > today else None


def _sex(digit: str) -> str:
    return MALE if int(digit) % 2 else FEMALE
