from __future__ import annotations

from typing import TYPE_CHECKING

from django.apps import AppConfig

if TYPE_CHECKING:
    from collections.abc import Mapping

    from wanjia.kernel.errors import Sentence
    from wanjia.ui.viewing import Looker


class ComparisonConfig(AppConfig):
    name = "wanjia.comparison"
    label = "comparison"
    verbose_name = "比对"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from wanjia.accounts import saved
        from wanjia.audit import subjects
        from wanjia.audit.details import register_details
        from wanjia.audit.watched import watch
        from wanjia.casework.services import exporting
        from wanjia.comparison.flows import SUSPECT
        from wanjia.exports import lists
        from wanjia.kernel.errors import Sentence
        from wanjia.ui import hooks

        watch("comparison.Run", "comparison.Screening", "comparison.Feedback", "comparison.WrongRecord")
        title = Sentence("比对", "Run")
        subjects.declare(subjects.Subject("run", title, visible=lambda viewer, _number: viewer.is_system))
        feedback = Sentence("数据反馈", "Feedback")
        subjects.declare(subjects.Subject("feedback", feedback, visible=lambda viewer, _number: viewer.is_system))
        subjects.declare_fields(_evidence_words)
        subjects.declare_page("sources.read", "feedback", Sentence("数据质量反馈", "Data-quality feedback"))
        subjects.declare_page("comparison.read", "person", Sentence("疑点说明", "Finding explained"))
        subjects.declare_page("suspects.read", "case", Sentence("核查件页面", "Case page"))
        saved.declare(saved.SavableList("findings", Sentence("疑点", "Findings"), "comparison:findings"))
        lists.declare(
            lists.ExportableList(
                exporting.CASES, Sentence("核查件", "Cases"), SUSPECT.export_permission, exporting.exportable,
                "casework:export",
            )
        )  # fmt: skip
        register_details("comparison.Screening", lambda row: row.payload(), order="id")
        hooks.register_tasks(
            hooks.TaskSource(_feedback_to_answer, "sources.feedback", "comparison:department_desk", order=10)
        )


def _evidence_words() -> Mapping[str, Sentence]:
    """What rules call the columns that stand in findings."""
    from wanjia.ruleset.packs import declared_rules

    return {name: rule.label_of(name) for rule in declared_rules() for name in rule.evidence}


def _feedback_to_answer(looker: Looker) -> int:
    """How much feedback waits for a department's officer."""
    from wanjia.comparison.feedback import queries
    from wanjia.scope.viewer import Viewer

    assert isinstance(looker, Viewer)  # noqa: S101 - the shell only knows a viewer's outline
    return queries.waiting(looker).count()
