"""Tables no transaction may write without recording an act.

Owners declare them in `AppConfig.ready`: `watch("registry.Household", "registry.Change")`. The
declaration costs nothing at run time; `wanjia.audit.testing` enforces it in every test.
"""

from __future__ import annotations

from django.apps import apps

_labels: set[str] = set()


def watch(*model_labels: str) -> None:
    """Declare that rows of these models change only together with an audit entry."""
    _labels.update(model_labels)


def watched_tables() -> frozenset[str]:
    """The database tables of the watched models. Raises LookupError for a label that is no model."""
    return frozenset(apps.get_model(label)._meta.db_table for label in _labels)
