"""A household's photos: adding one, taking one away, one to look at."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from wanjia.audit.services import record_access
from wanjia.files.answers import sent
from wanjia.files.uploads import received, takes_upload
from wanjia.kernel.errors import Refusal
from wanjia.registry.photos import services
from wanjia.registry.photos.services import PURPOSE, WRITE
from wanjia.registry.queries import household_for
from wanjia.registry.requests.forms import language
from wanjia.scope.errors import NotVisible
from wanjia.scope.routes import ViewerRequest, access

READ = "registry.read"


@access(WRITE)
@takes_upload(PURPOSE)
@require_POST
def add(request: ViewerRequest, household_no: int) -> HttpResponse:
    """Keep the photo sent; back to the household's page, which says what was wrong with it if something was."""
    household_for(request.viewer, household_no, WRITE)  # whoever may not is told so before what he sent is judged
    try:
        services.add_photo(viewer=request.viewer, household_no=household_no, upload=received(request, "photo"))
    except Refusal as refusal:
        messages.error(request, " ".join(refusal.sentences(language())))
    else:
        messages.success(request, _("照片已保存。"))
    return _back(household_no)


@access(WRITE)
@require_POST
def remove(request: ViewerRequest, household_no: int, file_id: int) -> HttpResponse:
    """Take a photo away for the reason given."""
    reason = request.POST.get("reason", "")
    try:
        services.remove_photo(viewer=request.viewer, household_no=household_no, file_id=file_id, reason=reason)
    except NotVisible:
        raise
    except Refusal as refusal:
        messages.error(request, " ".join(refusal.sentences(language())))
    else:
        messages.success(request, _("照片已移除。"))
    return _back(household_no)


@access(READ)
@require_safe
def photo(request: ViewerRequest, household_no: int, file_id: int) -> HttpResponseBase:
    """One photo; reading it is recorded as reading the household."""
    household, found = services.photo_for(request.viewer, household_no, file_id)

    def recorded() -> None:
        record_access(
            viewer=request.viewer,
            action=READ,
            subject_kind="household",
            subject_ids=[household.pk],
            fields=["photo"],
            area=household.village_code,
        )

    return sent(request, found, recorded)


def _back(household_no: int) -> HttpResponse:
    answer = redirect("registry:household", household_no)
    answer["Location"] += "#photos"
    return answer
