from django.http import HttpResponse, StreamingHttpResponse
from django.urls import include, path

from tests.leaks.faults.breaking import WAYS, row_of
from wanjia.config.urls import handler500  # noqa: F401 - Django looks for it here
from wanjia.jobs.services import enqueue
from wanjia.scope.routes import SIGNED_IN, access


@access(SIGNED_IN)
def page(request, way, person_no):
    WAYS[way](row_of(person_no))


@access(SIGNED_IN)
def streamed(request, way, person_no):
    """Half an answer has gone out when it breaks."""

    def parts():
        yield b"begun"
        WAYS[way](row_of(person_no))

    return StreamingHttpResponse(parts())


@access(SIGNED_IN)
def job(request, way, person_no):
    enqueue("faults.break", {"person_no": person_no, "way": way}, viewer=request.viewer)
    return HttpResponse()


urlpatterns = [
    path("faults/page/<str:way>/<int:person_no>/", page),
    path("faults/streamed/<str:way>/<int:person_no>/", streamed),
    path("faults/job/<str:way>/<int:person_no>/", job),
    path("", include("wanjia.config.urls")),
]
