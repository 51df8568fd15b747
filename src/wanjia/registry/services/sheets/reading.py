"""A sheet read from its encrypted file: its rows in memory, and what is wrong with which line."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
from django.utils.translation import override

from wanjia.intake import raw
from wanjia.intake.choices import Severity
from wanjia.intake.contracts import SOURCE_ROW
from wanjia.intake.layout import Layout, squeezed
from wanjia.intake.opening import Plan, beginnings, recognised, text_of
from wanjia.intake.reading import DeliveryReader, Part
from wanjia.intake.rules import PROBLEMS
from wanjia.kernel import clock
from wanjia.kernel.errors import Sentence
from wanjia.reference.queries import parameter
from wanjia.registry.choices import RejectReason, Remark, SheetKind
from wanjia.registry.errors import SheetTooLong
from wanjia.registry.services.sheets.columns import SheetContract, SheetField, sheet, sheets
from wanjia.registry.services.sheets.readers import reader_of
from wanjia.scope.keys import keyring

Flags = npt.NDArray[np.bool_]
EXAMPLES = 3
Progress = Callable[[int], None]


@dataclass(slots=True)
class Rows:
    """The rows of a sheet that were read, of which further ones are refused as more is known.

    `lines` are where they stand in the file; `alive` those not refused; `known` those there is nothing to do with.
    """

    kind: SheetKind
    layout: Layout
    plan: Plan | None
    table: pa.Table
    lines: npt.NDArray[np.int32]
    read_problems: list[tuple[int, str, str]]  # line, field, code: what reading told
    rejected_lines: list[int]
    non_data: Counter[str]
    total: int
    encoding: str
    examples: Mapping[tuple[str, str], list[dict[str, Any]]]
    alive: Flags = field(init=False)
    known: Flags = field(init=False)
    problems: list[tuple[int, str, str]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.alive = np.ones(self.table.num_rows, np.bool_)
        self.known = np.zeros(self.table.num_rows, np.bool_)

    @property
    def contract(self) -> SheetContract:
        return sheet(self.kind)

    @property
    def has(self) -> frozenset[str]:
        """The columns the file has."""
        return frozenset(column.field.name for column in self.layout.columns if column.field)

    def column(self, name: str) -> pa.Array:
        """A column of all rows; null where the file has none."""
        found = self.table.column(name)
        return found.combine_chunks() if isinstance(found, pa.ChunkedArray) else found

    def refuse(self, at: Flags, name: str, reason: RejectReason) -> None:
        """Refuse the flagged rows that are not refused yet."""
        fresh = at & self.alive
        self.problems += [(int(line), name, reason.value) for line in self.lines[fresh]]
        self.alive = self.alive & ~fresh
        self.known = self.known & ~fresh

    def refuse_row(self, row: int, name: str, reason: RejectReason) -> None:
        if self.alive[row]:
            self.problems.append((int(self.lines[row]), name, reason.value))
            self.alive[row] = self.known[row] = False

    def remark(self, at: Flags, name: str, what: Remark) -> None:
        """Say something of the flagged rows, which are taken in all the same."""
        self.problems += [(int(line), name, what.value) for line in self.lines[at & self.alive]]

    def told(self) -> list[tuple[int, str, str]]:
        """Every problem: of what was read only the rows' that reading left, of later ones all."""
        return sorted(self.read_problems + self.problems)

    @property
    def rejected(self) -> int:
        return len(self.rejected_lines) + int((~self.alive).sum())

    def counts(self) -> dict[str, int]:
        known = int(self.known.sum())
        return {
            "lines": self.total,
            "accepted": int(self.alive.sum()) - known,
            "known": known,
            "rejected": self.rejected,
            "non_data": self.non_data.total(),
        }

    def refused_lines(self) -> list[int]:
        return sorted([*self.rejected_lines, *self.lines[~self.alive].tolist()])


def read(address: str, progress: Progress = lambda lines: None) -> Rows:  # noqa: ARG005
    """Read a sheet that was put away. Raises FileRefused, WorkbookRefused, SheetTooLong."""
    most = lines_at_most()
    found = recognised(beginnings(partial(raw.opened, address), sheets()), sheets())
    layout, plan = found.layout, found.plan
    reader = DeliveryReader(layout, today=clock.today(), keyring=keyring(), reader_of=reader_of)
    stream = raw.text(address) if plan is None else text_of(found, raw.opened(address), reader.remarks, reader.above)
    typed: list[pa.Table] = []
    problems: list[tuple[int, str, str]] = []
    rejected: list[int] = []
    non_data: Counter[str] = Counter()
    for part in reader.parts(stream):
        typed.append(part.typed)
        _take(part, problems, rejected, non_data)
        if reader.tally.lines > most:
            raise SheetTooLong(most=most)
        progress(part.end - 1)
    table = pa.concat_tables(typed)
    return Rows(
        kind=SheetKind(layout.contract.dataset),
        layout=layout,
        plan=plan,
        table=table,
        lines=table.column(SOURCE_ROW).to_numpy(),
        read_problems=problems,
        rejected_lines=rejected,
        non_data=non_data,
        total=reader.tally.lines,
        encoding=raw.encoding_of(raw.manifest_of(address)).shown,
        examples=reader.examples.problems,
    )


def lines_at_most() -> int:
    """How many lines one sheet may have: some 3 KB of memory each while it is compared."""
    return int(parameter("registry.sheet_lines_at_most", clock.today()))


def kind_of(parts: Callable[[], Iterable[bytes]]) -> SheetKind:
    """Which of the two sheets a file is, by its beginning. Raises FileRefused, WorkbookRefused."""
    layout = recognised(beginnings(parts, sheets()), sheets()).layout  # type: ignore[arg-type]
    return SheetKind(layout.contract.dataset)


def _take(part: Part, problems: list[tuple[int, str, str]], rejected: list[int], non_data: Counter[str]) -> None:
    told = part.problems
    if told.num_rows:
        problems += zip(*(told.column(name).to_pylist() for name in ("line", "field", "problem")), strict=True)
    rejected += part.rejects.column("line").to_pylist()
    non_data.update(part.non_data.column("reason").to_pylist())


def sentence_of(code: str) -> tuple[Severity, Sentence]:
    """What a problem does to its row, and its words."""
    known = PROBLEMS.get(code)
    if known is not None:
        return known.severity, known.sentence
    remark = code in Remark.values
    label = Remark(code).label if remark else RejectReason(code).label
    with override("zh-hans"):
        zh = str(label)
    with override("en"):
        en = str(label)
    return Severity.WARN if remark else Severity.REJECT, Sentence(zh, en)


def in_words(name: str, code: str, contract: SheetContract) -> str:
    """A problem as the reject sheet says it."""
    item = contract.by_name.get(name)
    words = sentence_of(code)[1].zh
    return f"{item.title.zh}{words}" if item else words


def preview_of(rows: Rows) -> dict[str, Any]:
    """What the page shows of a sheet: its columns, and each kind of problem with how many and three examples."""
    groups: dict[tuple[str, str], list[int]] = defaultdict(list)
    for line, name, code in rows.told():
        groups[name, code].append(line)
    layout = rows.layout
    return {
        "encoding": rows.encoding,
        "columns": [
            {"header": squeezed(column.header)[:60], "field": column.field.name if column.field else ""}
            for column in layout.columns
        ],
        "problems": [
            {
                "field": name,
                "problem": code,
                "count": len(lines),
                "examples": (rows.examples.get((name, code)) or [{"line": line, "text": ""} for line in lines])[
                    :EXAMPLES
                ],
            }
            for (name, code), lines in sorted(groups.items())
        ],
        "non_data": dict(sorted(rows.non_data.items())),
        "unread_sheets": [] if rows.plan is None else [list(pair) for pair in rows.plan.unread],
        "hidden_columns": [] if rows.plan is None else rows.plan.hidden_columns,
    }


def _lines(lines: list[int]) -> list[dict[str, Any]]:
    return [{"line": line, "text": ""} for line in lines[:EXAMPLES]]


def flags(values: Any) -> Flags:
    """A column of true, false and nothing as flags."""
    filled = pc.fill_null(values, fill_value=False)
    return np.asarray(filled.to_numpy(zero_copy_only=False), np.bool_)


def fields_in(rows: Rows) -> list[SheetField]:
    """The columns the file has that hold a registry's field."""
    fields = (column.field for column in rows.layout.columns)
    return [item for item in fields if isinstance(item, SheetField) and item.of is not None]
