"""A URL table with a route nobody has thought about."""

from django.http import HttpResponse
from django.urls import path

urlpatterns = [path("open/", lambda _: HttpResponse("open"))]
