"""The URL root: what machines ask, then each slice with its own `urls.py`; the shell is at the top."""

from __future__ import annotations

from importlib.util import find_spec

from django.urls import include, path

from wanjia.config import views

# Slice → where its pages live. Order does not matter: the prefixes do not overlap.
PREFIXES = {
    "office": "",
    "accounts": "",
    "inspection": "inspection/",
    "comparison": "comparison/",
    "casework": "cases/",
    "registry": "registry/",
    "workforce": "workforce/",
    "sources": "sources/",
    "exports": "exports/",
    "files": "files/",
    "jobs": "jobs/",
    "divisions": "divisions/",
    "audit": "audit/",
    "reference": "reference/",
}

urlpatterns = [
    path("healthz", views.healthz, name="healthz"),
    path("readyz", views.readyz, name="readyz"),
    path("metrics", views.figures, name="metrics"),
    *(
        path(prefix, include(f"wanjia.{slice_name}.urls"))
        for slice_name, prefix in PREFIXES.items()
        if find_spec(f"wanjia.{slice_name}.urls")
    ),
]

handler500 = "wanjia.ui.pages.server_error"
