"""What a sample is drawn from, which samples there are, and their cases."""

from __future__ import annotations

import hashlib
import zlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from django.db.models import F, QuerySet

from wanjia.casework import queries as casework
from wanjia.casework.filters import CaseFilter
from wanjia.casework.models import Case
from wanjia.inspection.errors import AreaNotYours
from wanjia.inspection.models import BulkReading, Sample
from wanjia.kernel import clock
from wanjia.kernel.codes import is_division_code
from wanjia.reference import queries as reference
from wanjia.scope.models import visible_q
from wanjia.scope.viewer import Viewer

DRAW = "audit.sample"
ANSWER = "audit.answer"
MOST = "audit.sample_most"
CHUNK = 10_000


@dataclass(frozen=True, slots=True)
class Population:
    """All cases a sample is drawn from, at one moment: how many, the digest of their numbers, the numbers packed."""

    count: int
    digest: str
    packed: bytes

    @classmethod
    def of(cls, numbers: Iterable[int]) -> Population:
        """The population of these numbers, given in ascending order."""
        count, digest, packer, packed = 0, hashlib.sha256(), zlib.compressobj(), bytearray()
        for number in numbers:
            line = b"%d\n" % number
            digest.update(line)
            packed += packer.compress(line)
            count += 1
        packed += packer.flush()
        return cls(count, digest.hexdigest(), bytes(packed))


def area_for(viewer: Viewer, asked: str, chosen: str = "") -> str:
    """The area to draw in: the one asked for, else the one looked at, else where the viewer may draw.

    Raises AreaNotYours for one asked for outside of that.
    """
    if asked:
        if not is_division_code(asked) or not viewer.may_throughout(DRAW, asked):
            raise AreaNotYours
        return asked
    if chosen and viewer.may_throughout(DRAW, chosen):
        return chosen
    ranges = viewer.ranges(DRAW)
    if not ranges:  # his relation reaches single rows only, and a draw is over an area
        raise AreaNotYours
    return ranges[0].lo


def population_rows(viewer: Viewer, area: str, case_filter: CaseFilter) -> QuerySet[Case]:
    """The cases of the filter in `area` that the viewer may read and draw from, by number.

    A case of two places belongs to each auditor who has the whole of one of them, as in lists.
    """
    whole = [reach.lo for reach in viewer.ranges(DRAW)] == [area]
    wanted = CaseFilter(**{**case_filter.as_dict(), "state": case_filter.state, "area": "" if whole else area})
    rows = casework.matching(viewer, wanted).filter(visible_q(Case.scope_rule, viewer, DRAW))
    return rows.order_by("case_no")


def population(viewer: Viewer, area: str, case_filter: CaseFilter) -> Population:
    """The population as it is now."""
    return Population.of(_numbers(population_rows(viewer, area, case_filter)))


def _numbers(rows: QuerySet[Case]) -> Iterator[int]:
    return rows.values_list("case_no", flat=True).iterator(chunk_size=CHUNK)


def most() -> int:
    """How many cases one sample may have today."""
    return int(reference.parameter(MOST, clock.today()))


def samples(viewer: Viewer) -> QuerySet[Sample]:
    """The samples this auditor drew, the newest first, without their populations."""
    return Sample.objects.visible_to(viewer).defer("population").order_by("-id")


def sample_for(viewer: Viewer, sample_id: int) -> Sample:
    """One of his samples. Raises NotVisible."""
    return Sample.objects.get_visible(viewer, pk=sample_id)


def may_open(viewer: Viewer, sample_id: int) -> bool:
    """Whether it is one of his."""
    return Sample.objects.visible_to(viewer).filter(pk=sample_id).exists()


def cases_of(viewer: Viewer, sample: Sample) -> dict[int, Case]:
    """The drawn cases the viewer may read today, by number."""
    rows = Case.objects.visible_to(viewer).filter(pk__in=sample.numbers)
    return {case.case_no: case for case in rows}


def bulk_readings(viewer: Viewer) -> QuerySet[BulkReading]:
    """The alerts where the viewer reads the audit trail: unanswered ones first, then the newest."""
    return BulkReading.objects.visible_to(viewer).order_by(F("answered_at").desc(nulls_first=True), "-id")


def open_bulk_readings(viewer: Viewer) -> int:
    """How many of them nobody has looked into."""
    return BulkReading.objects.visible_to(viewer).filter(answered_by=None).count()


def bulk_reading_for(viewer: Viewer, reading_id: int) -> BulkReading:
    """One of them. Raises NotVisible."""
    return BulkReading.objects.get_visible(viewer, pk=reading_id)


def may_read_alert(viewer: Viewer, reading_id: int) -> bool:
    """Whether the alert is one of those."""
    return BulkReading.objects.visible_to(viewer).filter(pk=reading_id).exists()
