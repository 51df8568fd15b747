"""One case of a sample on paper: what is known of it, for a machine and for a person."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from django.template.loader import render_to_string
from django.utils.translation import gettext as _

from wanjia.audit.models import Opening
from wanjia.casework import declared
from wanjia.casework import presenting as casework
from wanjia.casework.models import Case, CaseSubject
from wanjia.casework.queries import HistoryLine, evidence_digests, history
from wanjia.divisions.queries import full_name
from wanjia.files import queries as files
from wanjia.files.models import StoredFile
from wanjia.inspection.bundle.verify import HISTORY
from wanjia.scope.system import system_viewer
from wanjia.scope.viewer import Viewer


@dataclass(slots=True)
class Paper:
    """A case's facts as they go into the zip, the events that are about it, and the evidence to put beside it."""

    facts: dict[str, Any]
    page: str
    events: list[UUID]
    households: list[int]
    evidence: list[tuple[str, StoredFile]] = field(default_factory=list)


def paper_of(case: Case, viewer: Viewer, language: str, *, enclosed: Collection[int]) -> Paper:
    """The case as this viewer may read it; of its evidence itself the files that are `enclosed`, if he may open them.

    Those are recorded as read: what was filed while the zip was under way is listed without its content.
    """
    told = declared.offered_for(case.kind, case.flow_version).callbacks.describe(case, viewer, language)
    lines = history(case, language)
    households = _households(case)
    stored = list(files.files_of(viewer, "case", case.case_no))
    places = {row.pk: _path(case, row) for row in stored if row.pk in enclosed}
    facts = {
        "case_no": case.case_no,
        "kind": case.kind,
        "topic": case.topic,
        "department": case.department,
        "area": case.area_code,
        "area_name": full_name(case.area_code),
        "household_no": case.household_no,
        "step": case.step,
        "step_title": case.at.title.text(language),
        "outcome": case.outcome,
        "outcome_title": casework.outcome_title(case, language),
        "outcome_note": case.outcome_note,
        "opened_at": _instant(case.opened_at),
        "closed_at": _instant(case.closed_at),
        "due_on": case.due_on.isoformat() if case.due_on else None,
        "origin": case.origin,
        "finding": {
            "question": told.question,
            "explanation": told.explanation,
            "ours": told.ours_title,
            "theirs": told.theirs_title,
            "facts": [
                {"label": fact.label, "ours": fact.ours, "theirs": fact.theirs, "differs": fact.differs}
                for fact in told.facts
            ],
            "checks": list(told.checks),
            "change": told.change,
            "warnings": list(told.warnings),
        },
        "history": [_line(line) for line in lines],
        "evidence": [_evidence(row, places.get(row.pk, "")) for row in stored],
        "evidence_digests": evidence_digests(case),
        "evidence_said": _said_of_evidence(stored, case, enclosed=len(places)),
    }
    events = _events(case, lines, households)
    facts["entries"] = [str(event) for event in events]
    context = {
        "case": case,
        "facts": facts,
        "lines": lines,
        "evidence": [(row, places.get(row.pk, "")) for row in stored],
    }
    page = render_to_string("inspection/case_paper.html", context)
    return Paper(facts, page, events, households, [(path, row) for row in stored if (path := places.get(row.pk, ""))])


def _households(case: Case) -> list[int]:
    rows = CaseSubject.objects.visible_to(system_viewer("inspection.entries")).filter(case=case)
    return sorted({number for number in rows.values_list("household_no", flat=True) if number is not None})


def _instant(at: datetime | None) -> str | None:
    return None if at is None else at.astimezone(UTC).isoformat()


def _line(line: HistoryLine) -> dict[str, Any]:
    """What the log committed to of this act, and the words for it."""
    recorded = line.event.payload()
    return {
        **{part: recorded[part] for part in HISTORY},
        "event_id": str(line.event.event_id),
        "title": line.title,
        "by": line.by,
        "to_title": line.to_title,
        "outcome_title": line.outcome,
    }


def _path(case: Case, row: StoredFile) -> str:
    """Where a file of the case lies in the zip; its own name was made by us or cleaned."""
    suffix = row.name.rpartition(".")[2]
    plain = suffix if suffix.isascii() and suffix.isalnum() else "bin"
    return f"cases/{case.case_no}/evidence/{row.pk}.{plain}"


def _evidence(row: StoredFile, path: str) -> dict[str, Any]:
    return {
        "file": row.pk,
        "name": row.name,
        "media_type": row.media_type,
        "size": row.size,
        "stored_at": _instant(row.stored_at),
        "keyed_digest": row.content_key,
        "path": path,
    }


def _said_of_evidence(stored: list[StoredFile], case: Case, *, enclosed: int) -> str:
    kept = len(evidence_digests(case))
    if not kept:
        return _("本件没有证明材料。")
    if len(stored) < kept:
        return _("本件有 %(n)s 份证明材料，其中您的岗位可打开 %(may)s 份；其余只列摘要。") % {
            "n": kept,
            "may": len(stored),
        }
    if enclosed == kept:
        return _("本件的 %(n)s 份证明材料随附。") % {"n": kept}
    return _("本件的 %(n)s 份证明材料未随附，只列摘要；您的岗位可以在平台上打开，或在下载时选择随附。") % {"n": kept}


def _events(case: Case, lines: Iterable[HistoryLine], households: list[int]) -> list[UUID]:
    """Every act in its history, every other act about it, and what the registry did on its account."""
    openings = Opening.objects.visible_to(system_viewer("inspection.entries"))
    about = openings.filter(subject_kind="case", subject_id=case.case_no)
    corrections = openings.filter(
        subject_kind="household", subject_id__in=households, payload__content__case=case.case_no
    )
    found = dict.fromkeys(line.event.event_id for line in lines)
    for rows in (about, corrections):
        found |= dict.fromkeys(rows.order_by("id").values_list("event_id", flat=True))
    return list(found)
