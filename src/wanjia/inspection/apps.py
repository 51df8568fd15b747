from django.apps import AppConfig


class InspectionConfig(AppConfig):
    name = "wanjia.inspection"
    label = "inspection"
    verbose_name = "审计工作台"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from wanjia.audit import subjects, watched
        from wanjia.inspection import queries
        from wanjia.kernel.errors import Sentence

        watched.watch("inspection.Sample")
        alert = Sentence("批量查阅预警", "Alert of bulk reading")
        subjects.declare(subjects.Subject("bulk_reading", alert, queries.may_read_alert, "inspection:bulk_reading"))
        subjects.declare(subjects.Subject("sample", Sentence("审计样本", "Audit sample"), visible=queries.may_open))
        subjects.declare_page("audit.sample", "case", Sentence("审计样本材料", "Bundle of an audit sample"))
