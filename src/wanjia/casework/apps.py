from __future__ import annotations

from importlib import import_module
from importlib.util import find_spec
from typing import TYPE_CHECKING

from django.apps import AppConfig, apps

if TYPE_CHECKING:
    from wanjia.ui.viewing import Looker


class CaseworkConfig(AppConfig):
    name = "wanjia.casework"
    label = "casework"
    verbose_name = "核查"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from wanjia.accounts import saved
        from wanjia.audit import details, subjects, watched
        from wanjia.casework.models import Case, CaseEvent
        from wanjia.kernel.errors import Sentence
        from wanjia.ui import hooks

        watched.watch("casework.Case", "casework.CaseSubject", "casework.CaseEvent")
        details.register_details("casework.CaseEvent", CaseEvent.payload, order="id")
        subjects.declare(
            subjects.Subject(
                "case",
                Sentence("核查件", "Case"),
                visible=lambda viewer, number: Case.objects.visible_to(viewer).filter(pk=number).exists(),
                url_name="casework:case",
            )
        )
        saved.declare(saved.SavableList("cases", Sentence("核查件", "Cases"), "casework:list"))
        hooks.register_tasks(hooks.TaskSource(_waiting_for, "", "casework:mine"))
        _discover_flows()


def _waiting_for(looker: Looker) -> int:
    """How many cases wait for somebody, for the top bar: from the counters, as the home page has it."""
    from wanjia.casework.queries import waiting_for
    from wanjia.scope.viewer import Viewer

    assert isinstance(looker, Viewer)  # noqa: S101 - the shell only knows a viewer's outline
    return waiting_for(looker).all


def _discover_flows() -> None:
    """Admit the flows of every installed slice that offers `flows.py`."""
    from wanjia.casework import declared

    for config in apps.get_app_configs():
        path = f"{config.name}.flows"
        if config.name.startswith("wanjia.") and find_spec(path) is not None:
            for offered in import_module(path).FLOWS:
                declared.register(offered)
