from django.apps import AppConfig


class ComparisonConfig(AppConfig):
    name = "wanjia.comparison"
    label = "comparison"
    verbose_name = "比对"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from wanjia.audit.details import register_details
        from wanjia.audit.watched import watch

        watch("comparison.Run", "comparison.Screening")
        register_details("comparison.Screening", lambda row: row.payload(), order="id")
