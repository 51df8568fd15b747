from __future__ import annotations

from typing import TYPE_CHECKING

from django.apps import AppConfig

if TYPE_CHECKING:
    from wanjia.ui.viewing import Looker


class ExportsConfig(AppConfig):
    name = "wanjia.exports"
    label = "exports"
    verbose_name = "导出审批"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from wanjia.audit.watched import watch
        from wanjia.ui import hooks

        watch("exports.ExportRequest")
        hooks.register_tasks(hooks.TaskSource(_to_decide, "exports.approve", "exports:requests", order=55))


def _to_decide(looker: Looker) -> int:
    """How many requests of others wait for this viewer's decision."""
    from wanjia.exports import queries
    from wanjia.scope.viewer import Viewer

    assert isinstance(looker, Viewer)  # noqa: S101 - the shell only knows a viewer's outline
    return queries.waiting(looker).count()
