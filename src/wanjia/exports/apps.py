from django.apps import AppConfig


class ExportsConfig(AppConfig):
    name = "wanjia.exports"
    label = "exports"
    verbose_name = "导出审批"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from wanjia.audit.watched import watch

        watch("exports.ExportRequest")
