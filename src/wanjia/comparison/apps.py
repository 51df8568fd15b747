from django.apps import AppConfig


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
        from wanjia.kernel.errors import Sentence

        watch("comparison.Run", "comparison.Screening", "comparison.Feedback", "comparison.WrongRecord")
        title = Sentence("比对", "Run")
        subjects.declare(subjects.Subject("run", title, visible=lambda viewer, _number: viewer.is_system))
        subjects.declare_page("sources.read", "feedback", Sentence("数据质量反馈", "Data-quality feedback"))
        subjects.declare_page("comparison.read", "person", Sentence("疑点说明", "Finding explained"))
        subjects.declare_page("suspects.read", "case", Sentence("核查件页面", "Case page"))
        saved.declare(saved.SavableList("findings", Sentence("疑点", "Findings"), "comparison:findings"))
        register_details("comparison.Screening", lambda row: row.payload(), order="id")
