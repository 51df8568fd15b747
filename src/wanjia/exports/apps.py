from django.apps import AppConfig


class ExportsConfig(AppConfig):
    name = "wanjia.exports"
    label = "exports"
    verbose_name = "导出审批"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from wanjia.audit.watched import watch

        # what waits to be decided stands on the home page; in the bar it would be a statement of every page
        watch("exports.ExportRequest")
