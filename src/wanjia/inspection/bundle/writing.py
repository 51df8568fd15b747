"""The zip, a piece at a time: nothing on the disk, one case in memory."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any
from uuid import UUID
from zipfile import ZIP_DEFLATED, ZipFile

from django.template.loader import render_to_string
from django.utils import translation
from django.utils.translation import gettext as _

from wanjia.audit.openings import Opened, opened
from wanjia.audit.rules import JSON
from wanjia.casework.models import Case
from wanjia.files.services import contents
from wanjia.inspection import presenting
from wanjia.inspection.bundle import verify
from wanjia.inspection.bundle.papers import Paper, paper_of
from wanjia.inspection.models import Sample
from wanjia.inspection.services.drawing import content_of
from wanjia.kernel import clock
from wanjia.scope.reach import serving
from wanjia.scope.viewer import Viewer
from wanjia.ui.sheets import PIECE, Cell, Format, Table, written
from wanjia.ui.zipped import Sink, entry

PROGRAM = Path(verify.__file__)
WITHHELD = {
    "withheld": (
        "该操作涉及您审计范围以外的区划，只附存证条目。",
        "The act reaches beyond your area; only its leaf is here.",
    ),
    "erased": ("内容已依法删除，只附存证条目。", "The content was erased by law; only its leaf is here."),
    "open": ("", ""),
}


@dataclass(slots=True)
class Bundle:
    """The papers of one sample for its auditor, in his language; `cases` are those he may read."""

    viewer: Viewer
    sample: Sample
    cases: Mapping[int, Case]
    account: str
    language: str  # of the reader, as Django names it
    enclosed: Collection[int] | None  # the files of evidence that go along; None where he did not ask for any
    _at: datetime = field(default_factory=lambda: clock.now().astimezone(clock.CHINA))
    _sink: Sink = field(default_factory=Sink)
    _zip: ZipFile = field(init=False)
    _digests: dict[str, str] = field(default_factory=dict)
    _events: dict[UUID, None] = field(default_factory=dict)
    _households: set[int] = field(default_factory=set)
    _index: list[list[Cell]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._zip = ZipFile(self._sink, "w", ZIP_DEFLATED)

    def pieces(self) -> Iterator[bytes]:
        """The bytes of the zip."""
        with self._zip:
            yield from self._file("README.txt", [self._in_words(self._readme)])
            yield from self._file("verify.py", [PROGRAM.read_bytes()])
            yield from self._file(verify.DRAW, [_json(self._draw())])
            yield from self._file(verify.POPULATION, self.sample.lines())
            for number in self.sample.numbers:
                if number in self.cases:
                    yield from self._case(self.cases[number])
            yield from self._entries()
            yield from self._file("cases.csv", self._in_words(self._list))
            manifest = {"account": self.account, "made_at": self._at.isoformat(), "sample": self.sample.pk}
            yield from self._file(verify.MANIFEST, [_json({**manifest, "files": self._digests})])
        yield self._sink.taken()

    def _case(self, case: Case) -> Iterator[bytes]:
        paper: Paper = self._in_words(lambda: paper_of(case, self.viewer, self.language, enclosed=self.enclosed or ()))
        self._events |= dict.fromkeys(paper.events)
        self._households |= set(paper.households)
        folder = f"cases/{case.case_no}"
        self._index.append(self._in_words(lambda: _row(paper)))
        yield from self._file(f"{folder}/case.json", [_json(paper.facts)])
        yield from self._file(f"{folder}/case.html", [paper.page.encode("utf-8", "replace")])
        for path, stored in paper.evidence:
            yield from self._file(path, contents(stored))

    def _entries(self) -> Iterator[bytes]:
        events = iter(opened(self.viewer, [*self._events, self.sample.event_id], self._concerns))
        while True:
            with serving(self.viewer):
                found = next(events, None)
            if found is None:
                return
            yield from self._file(f"entries/{found.event_id}.json", [_json(_entry(found))])

    def _concerns(self, row: Mapping[str, JSON]) -> bool:
        """Whether a row of a bulk act is one of the sample's: of a case of it, or what was corrected on its account."""
        if "household_no" in row:
            return row["household_no"] in self._households
        return row.get("case_no") in self.cases

    def _draw(self) -> dict[str, Any]:
        return {
            **content_of(self.sample),
            "area": self.sample.area,
            "event_id": str(self.sample.event_id),
            "left_out": [number for number in self.sample.numbers if number not in self.cases],
        }

    def _readme(self) -> bytes:
        context = {
            "sample": self.sample,
            "conditions": presenting.conditions(self.sample, self.language),
            "account": self.account,
            "at": self._at,
            "with_evidence": self.enclosed is not None,
            "left_out": len(self.sample.numbers) - len(self.cases),
        }
        return render_to_string("inspection/readme.txt", context).encode("utf-8", "replace")

    def _list(self) -> list[bytes]:
        header = [
            _("核查件编号"),
            _("事项"),
            _("所在村"),
            _("环节"),
            _("核查结果"),
            _("立件时间"),
            _("办结时间"),
            _("存证条数"),
        ]
        table = Table(_("审计样本"), header, self._index, len(self._index), self.account)
        return list(written(table, Format.CSV))

    def _in_words(self, made: Any) -> Any:
        """Something made for the reader: after his request nobody's language and nobody's reach are set."""
        with serving(self.viewer), translation.override(self.language):
            return made()

    def _file(self, name: str, parts: Iterable[bytes]) -> Iterator[bytes]:
        """Write one file of the zip and hand on what has come together."""
        digest = hashlib.sha256()
        with self._zip.open(entry(name, self._at), "w") as out:
            for part in parts:
                digest.update(part)
                out.write(part)
                if len(self._sink.waiting) >= PIECE:
                    yield self._sink.taken()
        self._digests[name] = digest.hexdigest()
        yield self._sink.taken()  # so that the reader's browser sees it grow, case after case


def _row(paper: Paper) -> list[Cell]:
    facts = paper.facts
    return [
        facts["case_no"], facts["finding"]["question"], facts["area_name"], facts["step_title"], facts["outcome_title"],
        facts["opened_at"], facts["closed_at"], len(paper.events),
    ]  # fmt: skip


def _entry(found: Opened) -> dict[str, Any]:
    leaf_hash = None if found.entry is None else hashlib.sha256(b"\x00" + found.entry.encode()).hexdigest()
    return {
        "event_id": str(found.event_id),
        "state": found.state,
        "why": list(WITHHELD[found.state]),
        "entry": found.entry,
        "leaf_hash": leaf_hash,
        "salt": found.salt.hex(),
        "payload": found.payload,
        "rows": [
            {
                "index": row.index,
                "salt": bytes(row.salt).hex(),
                "payload": row.payload,
                "proof": [step.hex() for step in row.proof],
            }
            for row in found.rows
        ],
    }


def _json(value: object) -> bytes:
    return json.dumps(value, ensure_ascii=False, indent=1).encode("utf-8", "replace")
