from django.apps import AppConfig


class ReferenceConfig(AppConfig):
    name = "wanjia.reference"
    label = "reference"
    verbose_name = "基础代码"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from wanjia.audit.watched import watch
        from wanjia.reference import queries
        from wanjia.ui import hooks

        watch("reference.Parameter", "reference.PovertyLine", "reference.Code", "reference.CalendarDay")
        hooks.register_code_labels(queries.label_of)
