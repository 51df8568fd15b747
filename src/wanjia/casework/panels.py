"""What casework shows on pages of others: which cases a deputyship leaves to somebody else."""

from __future__ import annotations

from django.template.loader import render_to_string

from wanjia.accounts.models import Deputyship
from wanjia.casework import guards
from wanjia.scope.routes import ViewerRequest
from wanjia.ui.panels import Panel


def left_to_others(request: ViewerRequest, deputyship: Deputyship) -> str | None:
    """How many cases wait at the office for a step neither of the two may take while they count as one."""
    pair = {deputyship.principal_id, deputyship.deputy_id}
    n = guards.kept_apart(pair, deputyship.area_code)
    return render_to_string("casework/_kept_apart.html", {"n": n}, request=request) if n else None


PANELS = [Panel("deputyship", "须由他人办理的核查件", "", left_to_others)]
