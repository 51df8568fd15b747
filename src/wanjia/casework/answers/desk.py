"""The sheet somebody uploaded last: kept, looked at, applied."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from uuid import UUID, uuid4

from django.db import transaction

from wanjia.audit.services import JSON
from wanjia.casework.answers import sheet as sheets
from wanjia.casework.answers.sheet import Filled
from wanjia.casework.choices import Need, in_words
from wanjia.casework.errors import AnswerIncomplete
from wanjia.casework.models import AnswerSheet, Case
from wanjia.casework.rules import Answer
from wanjia.casework.services import Judged, Reply, answer_many, judge
from wanjia.files.uploads import SealedUpload
from wanjia.kernel import clock
from wanjia.kernel.errors import Refusal
from wanjia.scope.viewer import Viewer

KEPT = timedelta(days=30)
PIECE = 2_000
REPLACED = [field.name for field in AnswerSheet._meta.concrete_fields if field.name not in ("id", "user_id")]
PROOF = in_words([Need.EVIDENCE])


@dataclass(frozen=True, slots=True)
class Line:
    """One filled row: the case it answers, if there is one, and why it is not taken, if it is not."""

    filled: Filled
    case: Case | None
    answer: Answer | None
    refusal: Refusal | None

    @property
    def who(self) -> str:
        """The case and the person, as the row says them."""
        return f"{self.filled.case_no or ''} {self.filled.cells.get('person', '')}".strip()

    @property
    def lacks_proof(self) -> bool:
        """Whether it would be taken once a photo or a document is filed with its case."""
        return isinstance(self.refusal, AnswerIncomplete) and self.refusal.values["missing"] == PROOF


@dataclass(frozen=True, slots=True)
class Preview:
    """What applying a sheet would do now."""

    sheet: AnswerSheet
    lines: Sequence[Line]
    good: Sequence[Line] = field(default=())
    refused: Sequence[Line] = field(default=())

    @property
    def outcomes(self) -> list[tuple[str, int]]:
        """How many of the good rows say what: by outcome, or by correction."""
        counted = Counter(
            line.answer.outcome or str((line.answer.correction or {}).get("change", ""))
            for line in self.good
            if line.answer is not None
        )
        return sorted(counted.items())


def keep(viewer: Viewer, upload: SealedUpload) -> AnswerSheet:
    """Read a form that came back and keep it for its sender, in place of an earlier one.

    Nothing is answered yet. Raises NotAnAnswerSheet, WorkbookRefused.
    """
    found = sheets.uploaded(upload.chunks())
    kept = AnswerSheet(user_id=viewer.user_id, token=uuid4(), at=clock.now(), sha256=upload.sha256, blank=found.blank)
    kept.rows = found.as_text()
    # One statement: of two sheets he sends in the same moment the later one stands, and neither fails.
    AnswerSheet.objects.bulk_create([kept], update_conflicts=True, unique_fields=["user_id"], update_fields=REPLACED)
    return kept


def current(viewer: Viewer) -> AnswerSheet | None:
    """The sheet this viewer uploaded last, if it is still kept."""
    return AnswerSheet.objects.filter(user_id=viewer.user_id).first()


def preview(viewer: Viewer, kept: AnswerSheet) -> Preview:
    """Each row of a sheet as it would fare now; changes nothing."""
    filled = sheets.rows_from(kept.rows.clear())
    replies, refused = _replies(viewer, filled)
    judged = {item.reply.row: item for item in judge(viewer, [reply for _, reply in replies])}
    return _sorted(kept, filled, judged, refused)


@transaction.atomic
def apply(viewer: Viewer, token: UUID) -> AnswerSheet | None:
    """Answer every case whose row is good; the others stay as they are and are told.

    A sheet that was applied already is returned as it is. None if the viewer has no such sheet.
    """
    kept = AnswerSheet.objects.select_for_update().filter(user_id=viewer.user_id, token=token).first()
    if kept is None or kept.applied_at is not None:
        return kept
    filled = sheets.rows_from(kept.rows.clear())
    replies, refused = _replies(viewer, filled)
    content: dict[str, JSON] = {"sheet": kept.sha256, "rows": len(filled)}
    judged = {
        item.reply.row: item
        for item in answer_many(viewer=viewer, replies=[reply for _, reply in replies], content=content)
    }
    done = _sorted(kept, filled, judged, refused)
    kept.applied_at, kept.applied = clock.now(), len(done.good)
    kept.refused = [_kept(line) for line in done.refused]
    kept.rows = sheets.Uploaded([line.filled for line in done.refused]).as_text()  # what was taken stands in the cases
    kept.save()
    return kept


def refused_rows(viewer: Viewer, kept: AnswerSheet) -> list[tuple[Filled, Refusal]]:
    """The rows that were not, or would not be, taken, with the reason now."""
    found = preview(viewer, kept).refused
    return [(line.filled, line.refusal) for line in found if line.refusal is not None]


def forget_old() -> int:
    """Forget sheets that nobody looked after for a month; returns how many."""
    return AnswerSheet.objects.filter(at__lt=clock.now() - KEPT).delete()[0]


def _replies(viewer: Viewer, filled: Sequence[Filled]) -> tuple[list[tuple[Filled, Reply]], dict[int, Refusal]]:
    numbers = sorted({row.case_no for row in filled if row.case_no is not None})
    cases: dict[int, Case] = {}
    for start in range(0, len(numbers), PIECE):
        rows = Case.objects.visible_to(viewer).filter(case_no__in=numbers[start : start + PIECE])
        cases |= {case.case_no: case for case in rows}
    replies: list[tuple[Filled, Reply]] = []
    refused: dict[int, Refusal] = {}
    for row, version, answer in sheets.replies_of(filled, cases):
        if isinstance(answer, Refusal):
            refused[row.row] = answer
        else:
            assert row.case_no is not None  # noqa: S101 - its check was genuine
            assert version is not None  # noqa: S101 - as above
            replies.append((row, Reply(row.row, row.case_no, version, answer)))
    return replies, refused


def _sorted(
    kept: AnswerSheet, filled: Sequence[Filled], judged: dict[int, Judged], refused: dict[int, Refusal]
) -> Preview:
    lines = []
    for row in filled:
        item = judged.get(row.row)
        refusal = refused.get(row.row) or (item.refusal if item else None)
        lines.append(Line(row, item.case if item else None, item.reply.answer if item else None, refusal))
    good = [line for line in lines if line.refusal is None]
    return Preview(kept, lines, good, [line for line in lines if line.refusal is not None])


def _kept(line: Line) -> list[object]:
    assert line.refusal is not None  # noqa: S101 - only refused rows are told
    told = ("".join(line.refusal.sentences(name)) for name in ("zh", "en"))
    return [line.filled.row, line.refusal.code, *told, line.filled.case_no or ""]  # no name: this is kept in clear
