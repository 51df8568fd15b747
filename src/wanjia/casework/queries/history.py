"""What happened to a case, and the proof that was filed with it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from django.db.models import Exists, OuterRef
from django.utils.translation import gettext as _

from wanjia.accounts import queries as accounts
from wanjia.casework import declared
from wanjia.casework.models import Case, CaseEvent
from wanjia.divisions.queries import full_name
from wanjia.files import queries as files
from wanjia.files.models import StoredFile
from wanjia.scope.system import system_viewer
from wanjia.scope.viewer import Viewer

PROVINCE = 2  # digits of the level everybody knows


@dataclass(frozen=True, slots=True)
class HistoryLine:
    """One act on a case, ready to be told."""

    event: CaseEvent
    by: str
    title: str
    from_title: str
    to_title: str
    outcome: str
    holder: str
    why: str = ""  # the kind of reason for a return, and where the people live now
    place: str = ""  # the place named with it
    reexamined: str = ""  # whether the case would be opened again, as the platform found before the act


def last_move(case: Case) -> CaseEvent:
    """The latest act that changed the case's version."""
    return CaseEvent.objects.of(case).filter(version=case.version).order_by("id")[0]


def events(case: Case) -> list[CaseEvent]:
    """All that happened to a case its caller fetched, oldest first."""
    return list(CaseEvent.objects.of(case).order_by("id"))


def history(
    case: Case,
    language: str,
    told: Sequence[CaseEvent] | None = None,
    colleagues: accounts.Colleagues | None = None,
) -> list[HistoryLine]:
    """The same in words; `told` is what `events` gave, where the caller has asked."""
    rows = events(case) if told is None else told
    people = {n for row in rows for n in (row.by_user, row.holder_user_id, row.data.get("for")) if n}
    names = (colleagues or accounts.Colleagues()).names_of(people)
    flow = case.flow
    steps = {step.code: step.title.text(language) for step in flow.steps}
    titles = {code: sentence.text(language) for code, sentence in declared.titles_of(flow).items()}
    whys = {why.code: why.title.text(language) for _, action in flow.actions() for why in action.whys}
    outcomes = {item.code: f"{item.code} {item.title.text(language)}" for item in flow.outcomes}
    return [
        HistoryLine(
            event=row,
            by=_by(names, row),
            title=titles.get(row.action, row.action),
            from_title=steps.get(row.from_step, ""),
            to_title=steps.get(row.to_step, row.to_step),
            outcome=outcomes.get(row.outcome, row.outcome),
            holder=names.get(row.holder_user_id or 0, ""),
            why=whys.get(row.data.get("why", ""), ""),
            place=full_name(row.data["place"], below=row.data["place"][:PROVINCE]) if row.data.get("place") else "",
            reexamined=reexamined_in_words(row, language),
        )
        for row in rows
    ]


def _by(names: Mapping[int, str], event: CaseEvent) -> str:
    """Who did it, and for whom he stood in."""
    own, principal = names.get(event.by_user, ""), event.data.get("for")
    return _("%(name)s（代%(whom)s）") % {"name": own, "whom": names.get(principal, "")} if principal else own


def reexamined_in_words(event: CaseEvent, language: str) -> str:
    """What asking again before this act brought, or nothing."""
    found = event.data.get("reexamined") or {}
    return str(found.get("en" if language.startswith("en") else "zh", ""))


def proofs(case: Case) -> int:
    """How many files were filed with the case since it came to this step; only they prove its answer."""
    rows = files.files_of(system_viewer("casework.evidence"), "case", case.case_no)
    return sum(row.stored_at >= case.step_entered_at for row in rows)


def filed(case: Case, viewer: Viewer) -> tuple[list[StoredFile], int]:
    """The files of a case that its reader may open, and how many `proofs` there are."""
    own = files.files_of(viewer, "case", case.case_no).filter(pk=OuterRef("pk")).order_by()
    rows = files.files_of(system_viewer("casework.evidence"), "case", case.case_no).annotate(readable=Exists(own))
    found = list(rows)
    return [row for row in found if row.readable], sum(row.stored_at >= case.step_entered_at for row in found)


def has_evidence(case: Case) -> bool:
    """Whether something was filed with the case since it came to this step."""
    return proofs(case) > 0


def evidence_digests(case: Case) -> list[str]:
    """The digests of what was filed with the case, so that history names exactly these files."""
    rows = files.files_of(system_viewer("casework.evidence"), "case", case.case_no)
    return sorted(row.content_key for row in rows)
