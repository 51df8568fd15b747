from django.apps import AppConfig


class ComparisonConfig(AppConfig):
    name = "wanjia.comparison"
    label = "comparison"
    verbose_name = "比对"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from wanjia.audit.watched import watch

        watch("comparison.Run", "comparison.Screening")
