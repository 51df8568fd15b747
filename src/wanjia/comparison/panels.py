"""What comparison shows on others' pages: a household's cases, and what of a delivery was agreed to be wrong before."""

from __future__ import annotations

from typing import Any

from django.template.loader import render_to_string
from django.utils.translation import get_language

from wanjia.casework import presenting, queries
from wanjia.comparison.feedback import queries as feedback
from wanjia.comparison.feedback import records
from wanjia.scope.routes import ViewerRequest
from wanjia.sources.choices import BatchStatus
from wanjia.sources.models import Batch
from wanjia.ui.panels import Panel

SHOWN = 50
READ = (BatchStatus.PREVIEWED, BatchStatus.HELD, BatchStatus.ACCEPTED)


def household_cases(request: ViewerRequest, household: Any) -> str | None:
    """The household's cases this viewer may see; nothing where there are none."""
    number = getattr(household, "household_no", household)
    found = list(queries.of_household(request.viewer, number)[:SHOWN])
    if not found:
        return None
    rows = presenting.rows(found, request.viewer, get_language() or "zh-hans")
    return render_to_string("comparison/_household.html", {"rows": rows}, request=request)


def batch_still_wrong(request: ViewerRequest, batch: Batch) -> str | None:
    """The lines of a delivery that say again what its department agreed to be wrong; told before it is accepted."""
    if batch.status not in READ:
        return None
    wrong = feedback.agreed_wrong(request.viewer, [batch.dataset])
    told = records.still_in(batch, wrong)
    rows = [(item.feedback, told[item.pk]) for item in wrong if item.pk in told]
    return render_to_string("comparison/_still_wrong.html", {"rows": rows}, request=request) if rows else None


PANELS = [
    Panel("acceptance", "已认可有误的记录", "sources.read", batch_still_wrong, order=5),
    Panel("household", "比对", "suspects.read", household_cases, order=60),
]
