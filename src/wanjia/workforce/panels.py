"""Who answers for the household, on its page."""

from __future__ import annotations

from django.template.loader import render_to_string

from wanjia.registry.models import Household
from wanjia.scope.routes import ViewerRequest
from wanjia.ui.panels import Panel
from wanjia.workforce.queries import READ, history_of, visible_contacts


def contacts(request: ViewerRequest, household: Household) -> str:
    """Present contacts and since when, former ones below."""
    context = {
        "contacts": visible_contacts(request.viewer, household.pk),
        "former": history_of(request.viewer, household.pk),
        "live": household.is_live,
    }
    return render_to_string("workforce/_contacts.html", context, request)


def on_the_card(request: ViewerRequest, household: Household) -> str | None:
    """The present contacts alone: what the family needs to know."""
    found = visible_contacts(request.viewer, household.pk)
    return render_to_string("workforce/_contacts.html", {"contacts": found}, request) if found else None


PANELS = [
    Panel("household", "帮扶联系人", READ, contacts, order=10),
    Panel("card", "帮扶联系人", READ, on_the_card, order=10),
]
