"""What is true of an installation: what must equal an undisturbed one, and what must never be.

Nothing here asks a service whether all is well; it is counted again from the rows and files.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
from django.conf import settings
from django.db import connection
from django.db.models import Count

from wanjia.audit.access import access_store
from wanjia.audit.models import Opening, Outbox
from wanjia.audit.queries import verify_event
from wanjia.casework.models import Case, CaseCounter, CaseEvent, CaseMove
from wanjia.comparison.models import Run, Screening
from wanjia.files.models import StoredFile
from wanjia.files.vault import content_path
from wanjia.jobs.models import Job
from wanjia.kernel import clock
from wanjia.registry.models import Change, Erasure, Household, HouseholdYear, Membership, ReportingYear, YearCorrection
from wanjia.resolution.models import Resolution
from wanjia.scope.stores import lake
from wanjia.scope.system import system_viewer
from wanjia.sources.models import Batch

EYE = system_viewer("demo.build")
# One for each thing they made, however often the work was begun: compared with the things themselves.
PER_THING = {"registry.publish_snapshot", "resolution.resolve"}
FORGOTTEN_NAMES, FORGOTTEN_PHONE = ("覃罕见", "覃稀奇"), "13907719876"  # of whoever is erased


def everything() -> dict[str, Any]:
    """`same` equals that of an undisturbed installation; `problems` is empty; `figures` are for the eye."""
    return {"same": _same(), "problems": list(_problems()), "figures": _figures()}


def _same() -> dict[str, Any]:
    batches = Batch.objects.visible_to(EYE).order_by("pk")
    counted = ("status", "file_hash", "lines", "accepted", "warned", "rejected", "non_data")
    return {
        "batches": [list(row) for row in batches.values_list(*counted)],
        "jobs": _counted(Job.objects.exclude(key__startswith="schedule:").values_list("name", "state")),
        "acts": _counted(Opening.objects.visible_to(EYE).exclude(act__in=PER_THING).values_list("act")),
        "runs": [list(row) for row in Run.objects.order_by("pk").values_list("status", "digest", "finding_count")],
        "datasets": _counted((address.partition("/")[0],) for address in lake().list() if _kept(address)),
        "screenings": _counted(Screening.objects.visible_to(EYE).values_list("decision")),
        "cases": _counted(Case.objects.visible_to(EYE).values_list("step", "holder_area")),
        "events": _counted(CaseEvent._base_manager.values_list("action", "to_step")),
        "changes": _counted(Change.objects.visible_to(EYE).values_list("household_no", "field", "old", "new")),
        "standing": _counted(Household.objects.visible_to(EYE).values_list("standing", "poverty_status")),
        "years": [list(row) for row in ReportingYear.objects.order_by("year").values_list("year", "state", "digest")],
        "yearly": _counted(HouseholdYear.objects.visible_to(EYE).values_list("year", "fuel", "wage_income")),
        "beside": _counted(YearCorrection.objects.visible_to(EYE).values_list("year", "household_no", "field", "new")),
        "members": _counted(Membership.objects.visible_to(EYE).values_list("member_status")),
        "files": StoredFile.objects.visible_to(EYE).count(),
    }


def _kept(address: str) -> bool:
    """Snapshots and what was resolved against them may be there twice, once for each beginning."""
    return not address.startswith(("registry/", "resolved/"))


def _counted(rows: Any) -> dict[str, int]:
    return {" ".join(map(str, row)): count for row, count in sorted(Counter(map(tuple, rows)).items(), key=str)}


def _figures() -> dict[str, Any]:
    batch = Batch.objects.visible_to(EYE).order_by("-pk").first()
    lines = [batch.lines, batch.accepted, batch.rejected, batch.non_data] if batch else [0] * 4
    return {
        "lines": lines,
        "acts": Opening.objects.visible_to(EYE).count(),
        "cases": Case.objects.visible_to(EYE).count(),
    }


def _problems() -> Iterator[str]:
    yield from _of_intake()
    yield from _of_the_lake()
    yield from _of_jobs()
    yield from _of_the_log()
    yield from _of_cases()
    yield from _of_files()
    yield from _of_erasures()


def _of_intake() -> Iterator[str]:
    for batch in Batch.objects.visible_to(EYE):
        if batch.lines is not None and batch.lines != batch.accepted + batch.rejected + batch.non_data:
            yield f"batch {batch.pk}: {batch.lines} lines are not {batch.accepted}+{batch.rejected}+{batch.non_data}"
        if batch.status in ("previewed", "accepted"):
            manifest = lake().read_manifest(batch.typed)
            typed = sum(entry.rows for name, entry in manifest.files.items() if name.startswith("part-"))
            if typed != batch.accepted:
                yield f"batch {batch.pk}: {typed} typed rows, {batch.accepted} accepted"


def _of_the_lake() -> Iterator[str]:
    store = lake()
    for address in store.list():
        store.verify(address)
    recorded = Opening.objects.visible_to(EYE)
    snapshots = [
        f"registry/snapshot={row.content['snapshot']}" for row in recorded.filter(act="registry.publish_snapshot")
    ]
    loads = [f"registry/load={row.event_id}" for row in recorded.filter(act="registry.load")]
    resolved = list(Resolution.objects.values_list("address", flat=True))
    owners = {
        "raw": list(Batch.objects.visible_to(EYE).values_list("raw", flat=True)),
        "sources": [batch.typed for batch in Batch.objects.visible_to(EYE)],
        "registry": [*snapshots, *loads, *ReportingYear.objects.exclude(address="").values_list("address", flat=True)],
        "resolved": resolved,
        "runs": [f"runs/{number}" for number in Run.objects.values_list("pk", flat=True)],
    }
    for kind, owned in owners.items():
        found = store.list(kind) if (store.root / kind).is_dir() else []
        if not set(found) <= set(owned):
            yield f"{kind}: nobody's {sorted(set(found) - set(owned))}"
        if len(owned) != len(set(owned)):
            yield f"{kind}: owned twice {sorted(owned)}"
    if recorded.filter(act="resolution.resolve").count() != len(resolved):
        yield f"{len(resolved)} resolutions, recorded {recorded.filter(act='resolution.resolve').count()} times"
    indexes = {f"serving/{path.name}" for path in (store.root / "serving").glob("registry-year@*")}
    if indexes != set(ReportingYear.objects.exclude(serving="").values_list("serving", flat=True)):
        yield f"serving: {sorted(indexes)} are not the indexes of the sealed years"
    staging = store.root / ".staging"
    left = [path.name for path in staging.iterdir() if path.name != "lock"] if staging.is_dir() else []
    if left:
        yield f"staged and left: {left}"


def _of_jobs() -> Iterator[str]:
    yield from (f"job {job} is {job.state}" for job in Job.objects.exclude(state="done"))


def _of_the_log() -> Iterator[str]:
    openings = dict(Opening.objects.visible_to(EYE).values_list("event_id", "payload"))
    entries = set(Outbox.objects.values_list("event_id", flat=True))
    if entries != openings.keys():
        yield f"outbox and openings differ in {len(entries ^ openings.keys())} events"
    rows = Counter(Change.objects.visible_to(EYE).values_list("event_id", flat=True))
    rows.update(CaseEvent._base_manager.values_list("event_id", flat=True))
    rows.update(Screening.objects.visible_to(EYE).values_list("event_id", flat=True))
    for event, count in rows.items():
        if openings.get(event, {}) is None:
            continue  # erased, and with it how many rows there were
        said = openings.get(event, {}).get("details", {}).get("count")
        if said != count:
            yield f"{openings.get(event, {}).get('act')}: {count} detail rows, the log says {said}"
    leaves = access_store()._connection().execute("SELECT event_id FROM leaf").fetchall()
    for (event,) in leaves:
        if not any(str(known) == event for known in openings):
            yield f"leaf {event} of the access store is not in the log"
    committed = Opening.objects.visible_to(EYE).filter(act="audit.commit_access").count()
    if committed != len(leaves):
        yield f"{len(leaves)} leaves, {committed} entries"


def _of_cases() -> Iterator[str]:
    issued = Screening.objects.visible_to(EYE).filter(decision="issued")
    cases = Case.objects.visible_to(EYE)
    if issued.exclude(case_no__in=cases.values("case_no")).exists():
        yield "an issued finding has no case"
    twice = cases.filter(closed_at=None).values("key").annotate(n=Count("pk")).filter(n__gt=1)
    if twice.exists():
        yield "a suspicion has two open cases"
    behind = sorted((case.origin["run"], number) for case in cases for number in case.origin["findings"])
    if behind != sorted(issued.values_list("run_id", "finding_no")):
        yield "the findings behind the cases are not the issued ones, each once"
    desks: Counter[Any] = Counter()
    for case in cases.filter(closed_at=None):
        for topic in (case.topic, ""):
            named = (case.holder_area, case.area_code[:9], case.kind, case.flow_version, topic, case.step)
            desks[*named, case.raised_to, case.warn_on, case.due_on] += 1
    names = ("holder_area", "place", "kind", "flow_version", "topic", "step", "raised_to", "warn_on", "due_on")
    if dict(desks) != _added_up(CaseCounter.objects.overseen_by(EYE).values_list(*names, "n")):
        yield "the desks' counters differ from a count"
    moves: Counter[Any] = Counter()
    for event in CaseEvent._base_manager.exclude(action__in=["warn", "raise"]).select_related("case"):
        place = (event.case.area_code[:9], event.case.kind, event.case.topic, clock.day_of(event.at))
        moves[*place, event.action, event.to_step, event.outcome] += 1
    names = ("area_code", "kind", "topic", "on", "action", "to_step", "outcome")
    if dict(moves) != _added_up(CaseMove.objects.overseen_by(EYE).values_list(*names, "n")):
        yield "the movements' counters differ from a count"


def _added_up(rows: Any) -> dict[Any, int]:
    found: Counter[Any] = Counter()
    for *name, n in rows:
        found[tuple(name)] += n
    return {name: n for name, n in found.items() if n}


def _of_files() -> Iterator[str]:
    home = Path(settings.WANJIA_HOME)
    left = [path.name for path in (*home.glob("spool/*"), *home.glob("files/*/.*"))]
    if left:
        yield f"half-written files: {left}"
    known = set(StoredFile.objects.visible_to(EYE).values_list("content_key", flat=True))
    kept = {path.name for path in home.glob("files/*/*")}
    if kept - known:
        yield f"evidence of nobody: {len(kept - known)}"
    yield from (f"content {key[:8]} is gone" for key in known if not content_path(key).is_file())


def _of_erasures() -> Iterator[str]:
    """Of whom the lake has forgotten, nothing is left in any byte; the log verifies."""
    rows = Erasure.objects.visible_to(EYE)
    if not rows.exists():
        return
    yield from (f"erasure {row.pk} is not finished" for row in rows.filter(state="erased", finished_at=None))
    if rows.filter(finished_at=None).exists():
        return
    yield from _left_of_him()
    for event_id in Opening.objects.visible_to(EYE).values_list("event_id", flat=True):
        if not (verdict := verify_event(event_id)).true:
            yield f"{event_id}: {verdict.problems}"


def _left_of_him() -> Iterator[str]:
    for path in _files_that_hold():
        content = path.read_bytes()
        needles = (text.encode() for text in (*FORGOTTEN_NAMES, FORGOTTEN_PHONE))
        escaped = (json.dumps(text)[1:-1].encode() for text in FORGOTTEN_NAMES)
        yield from (f"{path.name} holds {needle!r}" for needle in (*needles, *escaped) if needle in content)
    for path in lake().root.rglob("*.parquet"):
        texts = {str(value) for column in pq.read_table(path).columns for value in column.to_pylist()}
        yield from (f"{path} holds {text}" for text in texts if any(name in text for name in FORGOTTEN_NAMES))


def _files_that_hold() -> Iterator[Path]:
    home = Path(settings.WANJIA_HOME)
    yield from (path for path in (home / "lake").rglob("*") if path.is_file())
    if connection.vendor == "sqlite":
        with connection.cursor() as cursor:
            cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        yield from home.glob("wanjia.sqlite3*")
