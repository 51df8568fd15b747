"""What comparison shows on a household's page: its cases, open ones first."""

from __future__ import annotations

from typing import Any

from django.template.loader import render_to_string
from django.utils.translation import get_language

from wanjia.casework import presenting, queries
from wanjia.scope.routes import ViewerRequest
from wanjia.ui.panels import Panel

SHOWN = 50


def household_cases(request: ViewerRequest, household: Any) -> str | None:
    """The household's cases this viewer may see; nothing where there are none."""
    number = getattr(household, "household_no", household)
    found = list(queries.of_household(request.viewer, number)[:SHOWN])
    if not found:
        return None
    rows = presenting.rows(found, request.viewer, get_language() or "zh-hans")
    return render_to_string("comparison/_household.html", {"rows": rows}, request=request)


PANELS = [Panel("household", "比对", "suspects.read", household_cases, order=60)]
