"""Reading division files and names: pure."""

from __future__ import annotations

import csv
import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass

from wanjia.divisions.errors import (
    BadDivisionCode,
    BadDivisionHeader,
    BadDivisionRow,
    DuplicateDivision,
    LevelContradictsCode,
    OrphanDivision,
)
from wanjia.kernel.codes import LENGTHS, is_division_code
from wanjia.scope.areas import level_of, trimmed

COLUMNS = ("code", "name", "level", "parent")
PADDED = 12
VILLAGE = 12
_LEVEL_WORDS = {"town": "township", "street": "township", "area": "county"}  # as published tables say it

_SPACE = re.compile(r"[\s\u200b-\u200f\u2060\ufeff]+")


@dataclass(frozen=True, slots=True)
class FileRow:
    """One division of a file, with its natural code."""

    code: str
    official_name: str
    line: int

    @property
    def name(self) -> str:
        """What people call it."""
        return spoken_name(self.official_name)

    @property
    def level(self) -> str:
        return level_of(self.code)

    @property
    def parent_code(self) -> str:
        return parent_of(self.code)


def parent_of(code: str) -> str:
    """The code one level up, "" for a province."""
    return code[: max((length for length in LENGTHS if length < len(code)), default=0)]


def spoken_name(official: str) -> str:
    """A village's or community's name without its committee.

    >>> spoken_name("定福村委会"), spoken_name("拉堡村村民委员会"), spoken_name("农贸社区居民委员会")
    ('定福村', '拉堡村', '农贸社区')
    """
    for committee in ("村民委员会", "村委会"):
        if official.endswith(committee) and official != committee:
            base = official.removesuffix(committee)
            return base if base.endswith("村") else f"{base}村"
    for committee in ("居民委员会", "居委会"):
        if official.endswith(committee):
            base = official.removesuffix(committee)
            return base if base.endswith("社区") else f"{base}居委会"
    return official.removesuffix("办事处") if official.endswith("街道办事处") else official


def read_rows(lines: Iterable[str]) -> list[FileRow]:
    """The divisions of a CSV with the columns code, name, level, parent; the last two may be missing.

    Codes may be padded with zeros to 12 digits. Every parent must be in the file. Raises the
    refusals of `errors`; the first fault ends the reading.
    """
    reader = csv.reader(lines)
    header = [_SPACE.sub("", name).lower() for name in next(reader, [])]
    if tuple(header) not in (COLUMNS, COLUMNS[:2]):
        raise BadDivisionHeader(found=",".join(header), expected=",".join(COLUMNS))
    rows: dict[str, FileRow] = {}
    for values in reader:
        if not any(value.strip() for value in values):
            continue
        row = _row(values, reader.line_num)
        earlier = rows.setdefault(row.code, row)
        if earlier is not row:
            raise DuplicateDivision(line=row.line, value=row.code, first_line=earlier.line)
    for row in rows.values():
        if row.parent_code and row.parent_code not in rows:
            raise OrphanDivision(line=row.line, value=row.code, parent=row.parent_code)
    return list(rows.values())


def _row(values: list[str], line: int) -> FileRow:
    cells = [_SPACE.sub("", value) for value in values]
    if len(cells) < 2 or not cells[0] or not cells[1]:  # noqa: PLR2004 - code and name
        raise BadDivisionRow(line=line)
    row = FileRow(natural_code(cells[0], line), cells[1], line)
    level, parent = (*cells[2:4], "", "")[:2]
    if level and _LEVEL_WORDS.get(level, level) != row.level:
        raise LevelContradictsCode(line=line, value=row.code, written=level, expected=row.level)
    if parent and natural_code(parent, line) != row.parent_code:
        raise LevelContradictsCode(line=line, value=row.code, written=parent, expected=row.parent_code)
    return row


def natural_code(text: str, line: int) -> str:
    """A code of natural length from one that may be padded. Raises BadDivisionCode."""
    code = trimmed(text) if len(text) == PADDED else text
    if not is_division_code(code) or len(code) > VILLAGE:
        raise BadDivisionCode(line=line, value=text[:20])
    return code


# How a division's kind is written behind its name, longest first; what is left is its stem.
_ETHNIC = r"(?:各族|(?:壮|瑶|苗|侗|仫佬|毛南|回|京|彝|水|仡佬|土家|满|蒙古|藏)族)"
_KINDS = {
    "province": (r"壮族自治区", r"自治区", r"省", r"市"),
    "city": (r"市", r"地区"),
    "county": (rf"{_ETHNIC}+自治县", r"自治县", r"县", r"市", r"区"),
    "township": (rf"{_ETHNIC}+乡", r"街道办事处", r"街道办", r"街道", r"镇", r"乡", r"办事处"),
    "village": (r"村?村(?:民委员|委)会", r"(?:社区)?居(?:民委员|委)会", r"社区", r"行政村", r"村"),
}
_STEMS = {level: re.compile(rf"^(.{{2,}}?)(?:{'|'.join(kinds)})$") for level, kinds in _KINDS.items()}


def written_form(name: str) -> str:
    """A name as it is compared: no spaces, no full width, brackets and notes off."""
    return re.sub(r"\([^()]*\)$", "", _SPACE.sub("", unicodedata.normalize("NFKC", name)))


def stem_of(name: str, level: str) -> str:
    """The name without its kind, if two characters or more are left: 都安瑶族自治县 and 都安县 → 都安."""
    match = _STEMS[level].match(written_form(name))
    return match[1] if match else written_form(name)
