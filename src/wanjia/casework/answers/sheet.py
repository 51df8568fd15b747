"""What came back: the cells of an uploaded form, and the reply each row amounts to."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from wanjia.casework import declared
from wanjia.casework.answers.columns import ASKED, BY_WORDS, PROBLEM, TITLES, version_in, words_of
from wanjia.casework.choices import Need
from wanjia.casework.declared import Ask, AskedField
from wanjia.casework.errors import CellUnusable, NotAnAnswerSheet, RowAltered
from wanjia.casework.models import Case
from wanjia.casework.rules import Action, Answer, Visit
from wanjia.casework.services import asking
from wanjia.engine.limits import Limits
from wanjia.engine.workbook import process
from wanjia.engine.workbook.package import Bounds, Sheet
from wanjia.engine.workbook.sheet import ERROR as SHOWS_ERROR
from wanjia.engine.workbook.sheet import FORMULA as IS_FORMULA
from wanjia.engine.workbook.sheet import LONG, Row
from wanjia.kernel import clock
from wanjia.kernel.errors import Refusal, Sentence
from wanjia.ui.sheets import Cell as Written

MOST_ROWS = 60_000
# A form may have picked up a link or a macro where it was filled in: neither is ever followed, only cells are read.
BOUNDS = Bounds(unpacked_bytes=512 << 20, text=4_000, cut=8_000_000, told=24_000_000, passive=False)
LIMITS = Limits(memory_bytes=384 << 20, cpu_seconds=60, wall_seconds=120, file_bytes=0, open_files=16)
LONGEST_NOTE, LONGEST_MET = 2_000, 100
HEADER_WITHIN = 10  # rows
DAYS = ("visited_on", "until")  # these, and what a correction asks for; Excel gives some days a time of day
LONGEST_ASKED, MOST_ASKED = 500, 30  # characters of a cell, and columns
FILLED = tuple(title.key for title in TITLES if title.filled)
_DAY = re.compile(r"(\d{4})[-/.年](\d{1,2})[-/.月](\d{1,2})日?")
_INSTANT = re.compile(r"(\d{4}-\d\d-\d\d) \d\d:\d\d:\d\d")
_NUMBER = re.compile(r"[0-9]{1,12}(?:\.0+)?")

FORMULA = Sentence("是公式，请改为填写内容", "it is a formula; enter the value itself")
ERROR = Sentence("是错误值", "it shows an error")
TOO_LONG = Sentence("文字过长（{most} 字以内）", "it is longer than {most} characters")
NO_DAY = Sentence("不是可以识别的日期，请写成 2020-11-16", "it is no date; write it as 2020-11-16")
NOT_YET = Sentence("日期在今天以后", "the day lies in the future")
TOO_EARLY = Sentence("日期早于下发日期 {first}", "the day lies before {first}, when the case was issued")
MISSING = Sentence("没有填写", "it is empty")
ON_THE_PAGE = Sentence(
    "需要填写的内容较多，请在该件页面办理", "it asks for more than a row holds; answer on the case's page"
)
_PROBLEMS = {IS_FORMULA: "formula", SHOWS_ERROR: "error", LONG: "long"}
NOT_OFFERED = Sentence("不是下拉列表中的选项", "it is none of the list's choices")


@dataclass(frozen=True, slots=True)
class Filled:
    """One row as it was filled in: its place in the sheet and its cells by column, as text or ISO day.

    `problem` is what makes the row unusable whatever it says, with the column it is about. A row
    that was `hidden` its sender did not see.
    """

    row: int
    cells: Mapping[str, str]
    problem: tuple[str, str] | None = None
    hidden: bool = False

    @property
    def case_no(self) -> int | None:
        """The case it says it answers."""
        text = self.cells.get("case_no", "")
        return int(text.partition(".")[0]) if _NUMBER.fullmatch(text) else None

    def value(self, key: str) -> Written:
        """The cell as a workbook is given it again."""
        text = self.cells.get(key, "")
        if key == "case_no":
            return self.case_no if self.case_no is not None else text
        if _may_be_day(key):
            try:
                return date.fromisoformat(text)
            except ValueError:
                return text
        return text


@dataclass(slots=True)
class Uploaded:
    """The rows of a sheet somebody filled in, and how many he left blank."""

    rows: list[Filled] = field(default_factory=list)
    blank: int = 0

    def as_text(self) -> str:
        """For the encrypted column."""
        rows = [[item.row, dict(item.cells), item.problem, item.hidden] for item in self.rows]
        return json.dumps(rows, ensure_ascii=False, separators=(",", ":"))


def rows_from(text: str) -> list[Filled]:
    """The rows `as_text` wrote."""
    return [
        Filled(row, cells, None if problem is None else (problem[0], problem[1]), *hidden)
        for row, cells, problem, *hidden in json.loads(text)
    ]


def uploaded(content: Iterable[bytes]) -> Uploaded:
    """Read a form that came back, in a child process with limits.

    Raises NotAnAnswerSheet, WorkbookRefused.
    """
    found, of_keys, looking = Uploaded(), dict[int, str](), False
    seen = False
    for item in process.cells(content, rows=MOST_ROWS, bounds=BOUNDS, limits=LIMITS):
        match item:
            case Sheet():
                of_keys, looking = {}, not item.hidden and not seen
            case Row() if looking and not of_keys:
                of_keys = _header(item)
                seen = bool(of_keys)
                looking = seen or item.number < HEADER_WITHIN
            case Row() if looking:
                _take(found, item, of_keys)
            case _:
                pass
    if not seen:
        raise NotAnAnswerSheet
    return found


def _header(row: Row) -> dict[int, str]:
    """Column → key, if this row names the columns of a form."""
    words = {at: text.strip() for at, text in row.cells.items() if text.strip()}
    named = {at: BY_WORDS[text] for at, text in words.items() if text in BY_WORDS}
    if not {"case_no", "check", "outcome"} <= set(named.values()):
        return {}
    others = [at for at, text in words.items() if at not in named and text not in (PROBLEM.zh, PROBLEM.en)]
    return named | {at: ASKED + words[at] for at in others[:MOST_ASKED]}


def _may_be_day(key: str) -> bool:
    return key in DAYS or key.startswith(ASKED)


def _is_filled_in(key: str) -> bool:
    return key in FILLED or key.startswith(ASKED)


def _take(found: Uploaded, row: Row, of_keys: Mapping[int, str]) -> None:
    texts = {of_keys[at]: _text(of_keys[at], text) for at, text in row.cells.items() if at in of_keys}
    problems = [(of_keys[at], _PROBLEMS[what]) for at, what in row.remarks if at in of_keys and what in _PROBLEMS]
    formulas = {key for key, what in problems if what == "formula"}
    if not any(_is_filled_in(key) and (text or key in formulas) for key, text in texts.items()):
        found.blank += "case_no" in texts
        return
    kept = {key: text for key, text in texts.items() if text}
    found.rows.append(Filled(row.number, kept, problems[0] if problems else None, row.hidden))


def _text(key: str, text: str) -> str:
    instant = _INSTANT.fullmatch(text) if _may_be_day(key) else None
    return instant[1] if instant else text.strip().replace("\0", "")


def replies_of(
    rows: Sequence[Filled], cases: Mapping[int, Case]
) -> Iterator[tuple[Filled, int | None, Answer | Refusal]]:
    """Each row with the version it was made for and the answer it amounts to, or why it amounts to none.

    `cases` are those of the rows' numbers its reader may see; a row whose case is not among them is
    read as far as possible, for it is refused anyway.
    """
    for row in rows:
        try:
            version = _version(row)
            yield row, version, _answer(row, cases.get(row.case_no or 0))
        except Refusal as refusal:
            yield row, None, refusal


def _version(row: Filled) -> int:
    """The version of the case the row was made for. Raises RowAltered, CellUnusable."""
    if row.problem is not None:
        key, why = row.problem
        problem = {"formula": FORMULA, "error": ERROR}.get(why) or _filled_in(TOO_LONG, most=LONGEST_NOTE)
        raise CellUnusable(column=words_of(key), problem=problem)
    number = row.case_no
    version = None if number is None else version_in(row.cells.get("check", ""), number, dict(row.cells))
    if version is None:
        raise RowAltered(row=row.row)
    return version


def _answer(row: Filled, case: Case | None) -> Answer:
    """Raises CellUnusable."""
    action = asking(case) if case is not None and case.closed_at is None else None
    if case is None or action is None:
        return Answer()
    for key, most in (("note", LONGEST_NOTE), ("met", LONGEST_MET)):
        if len(row.cells.get(key, "")) > most:
            raise _unusable(key, _filled_in(TOO_LONG, most=most))
    if Need.OUTCOME in action.needs:
        return _verdict(row, case, action)
    return Answer(correction=_correction(row, case), note=row.cells.get("note", ""))


def _verdict(row: Filled, case: Case, action: Action) -> Answer:
    outcome = _code(row.cells.get("outcome", ""), list(action.outcomes))
    if not outcome:
        raise _unusable("outcome", NOT_OFFERED if row.cells.get("outcome") else MISSING)
    visited_on = _day(row, "visited_on")
    if visited_on is None:
        raise _unusable("visited_on", MISSING)
    first = clock.day_of(case.opened_at)
    if visited_on > clock.today():
        raise _unusable("visited_on", NOT_YET)
    if visited_on < first:
        raise _unusable("visited_on", _filled_in(TOO_EARLY, first=first))
    if not row.cells.get("met"):
        raise _unusable("met", MISSING)
    return Answer(
        outcome=outcome,
        note=row.cells.get("note", ""),
        until=_day(row, "until"),
        visit=Visit(visited_on, row.cells["met"]),
    )


def _correction(row: Filled, case: Case) -> dict[str, object]:
    """The correction in the words of the flow that offers it. Raises CellUnusable."""
    callbacks = declared.offered_for(case.kind, case.flow_version).callbacks
    offered = {choice.code: choice for choice in callbacks.corrections(case, "zh")}
    code = _code(row.cells.get("change", ""), list(offered))
    if not code:
        raise _unusable("change", NOT_OFFERED if row.cells.get("change") else MISSING)
    if not offered[code].on_sheet:
        raise _unusable("change", ON_THE_PAGE)
    said: dict[str, object] = {"change": code}
    for asked in offered[code].fields:
        cell = _cell_of(row, asked)
        if not row.cells.get(cell):
            if asked.needed:
                raise _unusable(cell, MISSING)
            continue
        said[asked.name] = _part(row, cell, asked, case, code)
    return said


def _cell_of(row: Filled, asked: AskedField) -> str:
    """The key of the column a part of a correction stands in, whatever the form's language."""
    keys = (ASKED + asked.title.zh, ASKED + asked.title.en)
    return next((key for key in keys if key in row.cells), keys[0])


def _part(row: Filled, cell: str, asked: AskedField, case: Case, code: str) -> str:
    text = row.cells[cell]
    if len(text) > LONGEST_ASKED:
        raise _unusable(cell, _filled_in(TOO_LONG, most=LONGEST_ASKED))
    match asked.kind:
        case Ask.DAY:
            day = _day(row, cell)
            if day is not None and day > clock.today():
                raise _unusable(cell, NOT_YET)
            return "" if day is None else day.isoformat()
        case Ask.CHOICE:
            found = _chosen(text, asked) or _chosen(text, _in_english(asked, case, code))
            if found is None:
                raise _unusable(cell, NOT_OFFERED)
            return found
        case _:
            return text


def _chosen(text: str, asked: AskedField) -> str | None:
    """The code of the choice a cell says, whole or by its code; a bare number may have lost its zero."""
    listed = {words: code for code, words in asked.choices}
    codes = {code for code, _ in asked.choices}
    first = text.split(maxsplit=1)[0].partition(".")[0]
    return listed.get(text) or next((code for code in (text, first, first.zfill(2)) if code in codes), None)


def _in_english(asked: AskedField, case: Case, code: str) -> AskedField:
    offered = declared.offered_for(case.kind, case.flow_version).callbacks.corrections(case, "en")
    fields = next(choice.fields for choice in offered if choice.code == code)
    return next(field for field in fields if field.name == asked.name)


def _code(text: str, codes: Sequence[str]) -> str:
    """The code a chosen line begins with; a bare number may have lost its zero."""
    first = re.split(r"[\s　,，:：]", text.strip(), maxsplit=1)[0]
    if first in codes:
        return first
    padded = first.partition(".")[0].zfill(2)
    return padded if padded in codes else ""


def _day(row: Filled, key: str) -> date | None:
    text = row.cells.get(key, "")
    if not text:
        return None
    found = _DAY.fullmatch(text.replace(" ", ""))
    if found is None:
        raise _unusable(key, NO_DAY)
    try:
        return date(int(found[1]), int(found[2]), int(found[3]))
    except ValueError:
        raise _unusable(key, NO_DAY) from None


def _unusable(key: str, problem: Sentence) -> CellUnusable:
    return CellUnusable(column=words_of(key), problem=problem)


def _filled_in(sentence: Sentence, **facts: Any) -> Sentence:
    return Sentence(sentence.text("zh", **facts), sentence.text("en", **facts))


__all__ = ["PROBLEM", "Filled", "Uploaded", "replies_of", "rows_from", "uploaded"]
