"""The document a person is given when he asks what is held about him."""

from __future__ import annotations

from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET

from wanjia.audit.services import record_access
from wanjia.divisions.queries import full_name
from wanjia.kernel import clock
from wanjia.registry.choices import SHOWN_ON_THE_PAGE
from wanjia.registry.requests.forms import language
from wanjia.registry.requests.policy import PROPOSE
from wanjia.registry.rights import queries
from wanjia.registry.rights.queries import REVEAL
from wanjia.scope.routes import ViewerRequest, access
from wanjia.ui.panels import panels_for


@access(REVEAL)
@never_cache
@require_GET
def person(request: ViewerRequest, person_no: int) -> HttpResponse:
    """Everything held about one person, to be printed and handed to him; reading it is recorded."""
    held = queries.held_about(request.viewer, person_no, language())
    household = held.household
    record_access(
        viewer=request.viewer,
        action="registry.read",
        subject_kind="person",
        subject_ids=[person_no],
        fields=SHOWN_ON_THE_PAGE,
        area=held.person.village_code,
    )
    context = {
        "held": held,
        "place": full_name(held.person.village_code),
        "household": household,
        "may_correct": household.is_live and request.viewer.may(PROPOSE, household.village_code),
        "panels": panels_for(request, "person", held.person),
        "today": clock.today(),
    }
    return render(request, "registry/person.html", context)
