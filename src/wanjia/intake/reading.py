"""A whole delivery read: every line accepted, rejected or no record, in blocks of bounded memory."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from wanjia.engine.workbook.process import Remarks
from wanjia.engine.workbook.sheet import MERGED, NO_VALUE
from wanjia.intake import rules
from wanjia.intake.choices import NonData, Severity
from wanjia.intake.contracts import SOURCE_ROW, Field, Reading
from wanjia.intake.errors import EmptyFile, MostlyBroken, TruncatedFile
from wanjia.intake.fields import DAMAGE, Taken, reader_for
from wanjia.intake.layout import Layout, squeezed
from wanjia.intake.lines import Odd, Records, records
from wanjia.intake.samples import Examples
from wanjia.lake.columns import Columns, Type, arrow_schema
from wanjia.protection.keys import Keyring

REJECTS: Columns = {"line": Type.INTEGER}
PROBLEMS: Columns = {"line": Type.INTEGER, "field": Type.TEXT, "problem": Type.TEXT, "severity": Type.TEXT}
NON_DATA: Columns = {"line": Type.INTEGER, "reason": Type.TEXT}

_BROKEN_AT_LEAST = 20  # rows with a wrong number of columns, before the whole file is called broken
WHOLE_ROW = ""  # the field of a problem that concerns the row as such

Flags = npt.NDArray[np.bool_]
Reader = Callable[[pa.Array], Taken]
_ROWS = re.compile(
    r"([0-9][0-9,]{0,11})(?:条|行|笔|辆|套|宗)(?:记录|数据)?$"
)  # 60000条; not 3人, who may stand in several rows


@dataclass(frozen=True, slots=True)
class Part:
    """Some lines of the delivery, read: typed rows and what became of the other lines."""

    typed: pa.Table
    rejects: pa.Table
    problems: pa.Table
    non_data: pa.Table
    end: int  # the first line not in it


@dataclass(slots=True)
class Tally:
    """The delivery in figures; complete when the reading is."""

    lines: int = 0
    accepted: int = 0
    warned: int = 0
    rejected: int = 0
    non_data: Counter[str] = field(default_factory=Counter)
    broken: int = 0
    problems: Counter[tuple[str, str]] = field(default_factory=Counter)
    stated: list[int] = field(default_factory=list)  # how many rows the rows of totals say there are

    @property
    def rows(self) -> int:
        return self.accepted + self.rejected

    def require_balanced(self) -> None:
        """Hold that accepted + rejected + non-data = lines, or the program is wrong and nothing may be kept."""
        if self.rows + self.non_data.total() != self.lines:
            raise AssertionError(f"{self.rows} rows and {self.non_data.total()} other lines are not {self.lines} lines")


class DeliveryReader:
    """Reads one delivery of a known layout; iterate `parts` to the end, then look at `tally`.

    `reader_of` gives what reads a field's column, for tables whose typed rows are not a department's.
    """

    def __init__(
        self, layout: Layout, *, today: date, keyring: Keyring, reader_of: Callable[..., Reader] = reader_for
    ) -> None:
        self.layout = layout
        self.tally = Tally()
        self.examples = Examples(layout)
        self.remarks = Remarks()  # of a workbook; filled by whoever hands the text over, before the line comes
        self.above: dict[int, NonData] = dict(layout.above)  # likewise for the titles of further sheets
        self._readers: list[tuple[Field, int | None, Reader]] = [
            (
                item,
                layout.position_of(item),
                reader_of(
                    item,
                    today=today,
                    keyring=keyring,
                    unit=layout.unit_of(item),
                    epoch=1904 if layout.is_1904 else 1900,
                ),
            )
            for item in layout.contract.fields
        ]
        self._schema = arrow_schema(layout.contract.columns)
        words = (*layout.contract.layout.totals, *layout.contract.layout.notes)
        self._around = (
            "^\\s*(?:" + "|".join(r"\s*".join(map(re.escape, word)) for word in words) + ")" if words else "$^"
        )
        self._required = [
            position for item in layout.contract.required if (position := layout.position_of(item)) is not None
        ]

    def parts(self, text: Iterable[str]) -> Iterator[Part]:
        """Raises TruncatedFile, UnbalancedQuote, EndlessLine, MostlyBroken, EmptyFile: nothing may then be kept."""
        for found in records(text, width=self.layout.width, delimiter=self.layout.delimiter):
            yield self._part(found)
        if not self.tally.rows:
            raise EmptyFile
        if self.tally.broken >= _BROKEN_AT_LEAST and self.tally.broken * 2 > self.tally.rows:
            raise MostlyBroken(broken=self.tally.broken, rows=self.tally.rows)
        self.tally.require_balanced()

    def _part(self, found: Records) -> Part:
        other, bad = self._sort_out_odd(found)
        remarks = self.remarks.taken(found.first, found.end)
        is_data, more = self._sort_out(found, {line for line, _, what in remarks if what == NO_VALUE})
        other |= more
        data, lines = found.cells, found.lines
        if not is_data.all():
            data, lines = data.filter(pa.array(is_data)), lines[is_data]
        typed, rejected, problems = self._read(data, lines, remarks)
        rejects = np.sort(np.concatenate([lines[rejected], np.array(bad, np.int32)]))
        problems += [(np.array(bad, np.int32), WHOLE_ROW, "columns")] if bad else []
        self._count(found, typed, rejects, other, problems)
        return Part(
            typed=typed,
            rejects=pa.table({"line": pa.array(rejects, pa.int32())}, schema=arrow_schema(REJECTS)),
            problems=_problem_table(problems),
            non_data=_non_data_table(other, found.blank),
            end=found.end,
        )

    def _sort_out_odd(self, found: Records) -> tuple[dict[int, NonData], list[int]]:
        """Lines with another number of cells: what is no record, and the lines of broken ones.

        Raises TruncatedFile when the file ends within such a row.
        """
        other: dict[int, NonData] = dict.fromkeys(found.continuations, NonData.CONTINUATION)
        bad: list[int] = []
        for row in found.odd:
            reason = self._above(row.line) or self.layout.what_is(row.cells)
            if reason is not None:
                other[row.line] = reason
                self._hear(reason, row.cells)
                continue
            if found.breaks_off and row.line == found.end - 1 and len(row.cells) < self.layout.width:
                raise TruncatedFile(line=row.line)
            bad.append(row.line)
            self.examples.note_row(row.line, row.cells)
        return other, bad

    def _hear(self, reason: NonData, cells: Sequence[str]) -> None:
        """What a row of totals says of the number of rows; amounts and people say nothing of it."""
        if reason is NonData.TOTAL:
            self.tally.stated += [
                int(found[1].replace(",", "")) for cell in cells if (found := _ROWS.search(squeezed(cell)))
            ]

    def _above(self, line: int) -> NonData | None:
        return self.above.get(line)

    def _sort_out(self, found: Records, computed: set[int]) -> tuple[Flags, dict[int, NonData]]:
        """Which of the well-formed rows are records; a look at those where something required is empty or a total's.

        `computed` are lines whose cells are formulas without a value: they are empty and still records.
        """
        doubtful = np.isin(found.lines, list(self.above))
        for position in self._required:
            column = found.cells.column(position)
            doubtful |= _flags(pc.equal(pc.utf8_length(pc.utf8_trim_whitespace(column)), 0))
            doubtful |= _flags(pc.match_substring_regex(column, self._around))
        probe = self._required[0]
        doubtful |= _flags(pc.equal(found.cells.column(probe), self.layout.header[probe]))
        is_data = np.ones(len(found.lines), np.bool_)
        other: dict[int, NonData] = {}
        at = np.flatnonzero(doubtful)
        rows = found.cells.take(pa.array(at)).to_pylist() if len(at) else []
        for position, row in zip(at.tolist(), rows, strict=True):
            line = int(found.lines[position])
            reason = self._above(line) or (None if line in computed else self.layout.what_is(list(row.values())))
            if reason is not None:
                is_data[position], other[line] = False, reason
                self._hear(reason, list(row.values()))
        return is_data, other

    def _read(
        self, data: pa.Table, lines: npt.NDArray[np.int32], remarks: Sequence[tuple[int, int, str]]
    ) -> tuple[pa.Table, Flags, list[tuple[npt.NDArray[np.int32], str, str]]]:
        """Typed rows of the accepted, which rows are rejected, and every problem as (lines, field, problem)."""
        columns: dict[str, pa.Array] = {SOURCE_ROW: pa.array(lines, pa.int32())}
        rejected, warned = np.zeros(len(lines), np.bool_), np.zeros(len(lines), np.bool_)
        problems: list[tuple[npt.NDArray[np.int32], str, str]] = []
        self.examples.sample(data)
        remarked = _Remarked(lines, remarks)
        for what, at in remarked.of_rows():
            warned[at] = True
            problems.append((lines[at], WHOLE_ROW, what))
            self.examples.note_lines(what, lines[at])
        for item, position, read in self._readers:
            texts = _column(data, position, len(lines))
            taken = read(texts)
            columns.update(taken.columns)
            marks = taken.problems
            damaged = _flags(pc.match_substring(texts, DAMAGE))
            marks[damaged] = rules.NUMBER["undecodable"]
            if position is not None:
                remarked.of_column(position, item, marks)
            if position is None:  # a column the file does not have is told once, not in every row
                marks[:] = rules.OK
            rejects = _REJECTS[marks]
            rejected |= rejects
            warned |= (marks != rules.OK) & ~rejects
            for number in np.unique(marks[marks != rules.OK]):
                at = np.flatnonzero(marks == number)
                problems.append((lines[at], item.name, rules.CODES[number]))
                self.examples.note(item, rules.CODES[number], lines, texts, at)
        self.tally.warned += int((warned & ~rejected).sum())
        typed = pa.table([columns[name] for name in self._schema.names], schema=self._schema)
        return typed.filter(pa.array(~rejected)) if rejected.any() else typed, rejected, problems

    def _count(
        self,
        found: Records,
        typed: pa.Table,
        rejects: npt.NDArray[np.int32],
        other: dict[int, NonData],
        problems: Sequence[tuple[npt.NDArray[np.int32], str, str]],
    ) -> None:
        self.tally.lines = found.end - 1
        self.tally.accepted += typed.num_rows
        self.tally.rejected += len(rejects)
        self.tally.non_data.update(reason.value for reason in other.values())
        if len(found.blank):
            self.tally.non_data[NonData.BLANK.value] += len(found.blank)
        for lines, name, problem in problems:
            self.tally.problems[name, problem] += len(lines)
            if problem == "columns":
                self.tally.broken += len(lines)


class _Remarked:
    """What was remarked of the cells of some lines when the workbook was opened."""

    def __init__(self, lines: npt.NDArray[np.int32], remarks: Sequence[tuple[int, int, str]]) -> None:
        self._lines = lines
        self._by_column: dict[int, list[tuple[int, str]]] = {}
        for line, column, what in remarks:
            at = int(np.searchsorted(lines, line))
            if at < len(lines) and lines[at] == line:  # else the line is no record
                self._by_column.setdefault(column, []).append((at, what))

    def of_rows(self) -> Iterator[tuple[str, npt.NDArray[np.intp]]]:
        """What is remarked of rows as such, and of which (by position)."""
        found = self._by_column.get(-1, [])
        for what in sorted({what for _, what in found}):
            yield what, np.array([at for at, said in found if said == what], np.intp)

    def of_column(self, position: int, item: Field, marks: npt.NDArray[np.int8]) -> None:
        """Note in `marks` what is remarked of the cells of one column."""
        if not item.keep:
            return
        for at, what in self._by_column.get(position, ()):
            if what != MERGED:
                marks[at] = rules.NUMBER[what]
            elif item.reading in _COUNTED:
                marks[at] = rules.NUMBER["merged_amount"]
            elif marks[at] == rules.OK:
                marks[at] = rules.NUMBER[what]


_COUNTED = (Reading.MONEY, Reading.WHOLE)  # values that add up
_REJECTS = np.array(rules.REJECTS, np.bool_)


def _column(data: pa.Table, position: int | None, count: int) -> pa.Array:
    if position is None:
        return pa.array([""] * count, pa.string())
    return data.column(position).combine_chunks()


def _flags(array: pa.Array | pa.ChunkedArray) -> Flags:
    return np.asarray(
        array.to_numpy(zero_copy_only=False) if isinstance(array, pa.Array) else array.to_numpy(), np.bool_
    )


def _problem_table(problems: Sequence[tuple[npt.NDArray[np.int32], str, str]]) -> pa.Table:
    schema = arrow_schema(PROBLEMS)
    parts = [
        pa.table(
            [
                pa.array(lines, pa.int32()),
                pa.array([name] * len(lines), pa.string()),
                pa.array([problem] * len(lines), pa.string()),
                pa.array([str(rules.PROBLEMS[problem].severity)] * len(lines), pa.string()),
            ],
            schema=schema,
        )
        for lines, name, problem in problems
    ]
    if not parts:
        return schema.empty_table()
    return pa.concat_tables(parts).sort_by([("line", "ascending"), ("field", "ascending")])


def _non_data_table(other: dict[int, NonData], blank: npt.NDArray[np.int32]) -> pa.Table:
    lines = sorted(other)
    schema = arrow_schema(NON_DATA)
    told = pa.table(
        [pa.array(lines, pa.int32()), pa.array([other[n].value for n in lines], pa.string())], schema=schema
    )
    if not len(blank):
        return told
    nothing = pa.repeat(pa.scalar(NonData.BLANK.value, pa.string()), len(blank))
    return pa.concat_tables([told, pa.table([pa.array(blank), nothing], schema=schema)]).sort_by("line")


def severity_of(problem: str) -> Severity:
    """What a problem does to its row."""
    return rules.PROBLEMS[problem].severity


__all__ = ["NON_DATA", "PROBLEMS", "REJECTS", "WHOLE_ROW", "DeliveryReader", "Odd", "Part", "Tally"]
