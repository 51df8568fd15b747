"""The papers of a sample: recorded, then written into the answer."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence

from django.db import transaction

from wanjia.audit.services import Kind, record, record_access
from wanjia.casework.models import Case
from wanjia.files import queries as files
from wanjia.inspection import queries
from wanjia.inspection.bundle.writing import Bundle
from wanjia.inspection.models import Sample
from wanjia.scope.viewer import Viewer

COUNTY = 6
READ = ("name", "evidence", "history")


def bundle(
    *, viewer: Viewer, sample: Sample, account: str, language: str, with_evidence: bool = False
) -> Iterator[bytes]:
    """The zip's bytes. Who took it, and whose data he read with it, is recorded before the first one."""
    cases = queries.cases_of(viewer, sample)
    evidence = list(files.files_of_many(viewer, "case", cases)) if with_evidence else []
    _read(viewer, list(cases.values()))
    for area, numbers in _by_county((file.area, file.pk) for file in evidence).items():
        record_access(
            viewer=viewer, action="files.read", subject_kind="file", subject_ids=numbers, fields=["content"], area=area
        )
    with transaction.atomic():
        record(
            Kind.EXPORT,
            viewer=viewer,
            area=sample.area,
            act="inspection.bundle",
            subject=("sample", sample.pk),
            content={"cases": len(cases), "evidence": len(evidence), "format": "zip"},
        )
    enclosed = frozenset(file.pk for file in evidence) if with_evidence else None
    return Bundle(viewer, sample, cases, account, language, enclosed).pieces()


def _read(viewer: Viewer, cases: Sequence[Case]) -> None:
    for area, numbers in _by_county((case.area_code, case.case_no) for case in cases).items():
        record_access(
            viewer=viewer, action=queries.DRAW, subject_kind="case", subject_ids=numbers, fields=READ, area=area
        )


def _by_county(rows: Iterator[tuple[str, int]]) -> dict[str, list[int]]:
    """Numbers by the county they lie in: whoever audits a county finds who read of it."""
    found: dict[str, list[int]] = defaultdict(list)
    for area, number in rows:
        found[area[:COUNTY]].append(number)
    return found
