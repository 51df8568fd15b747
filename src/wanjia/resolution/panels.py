"""What resolution shows on a delivery's page: how many of its records are registered people's."""

from __future__ import annotations

from django.http import HttpRequest
from django.template.loader import render_to_string

from wanjia.resolution import queries
from wanjia.sources.models import Batch
from wanjia.ui.panels import Panel

SHOWN = 5


def of_batch(request: HttpRequest, batch: Batch) -> str | None:
    """The newest resolutions of a batch the reader was allowed to open; None before there is one."""
    found = queries.resolutions_of(batch.pk)[:SHOWN]
    return render_to_string("resolution/_batch.html", {"resolutions": found}, request) if found else None


PANELS = [Panel("batch", "归户结果", "sources.read", of_batch, 10)]
