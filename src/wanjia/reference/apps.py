from django.apps import AppConfig


class ReferenceConfig(AppConfig):
    name = "wanjia.reference"
    label = "reference"
    verbose_name = "基础代码"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from wanjia.audit.subjects import Subject, declare
        from wanjia.audit.watched import watch
        from wanjia.kernel.errors import Sentence
        from wanjia.reference import queries
        from wanjia.ui import hooks

        for kind, title in (
            ("parameter", Sentence("参数", "Parameter")),
            ("povertyline", Sentence("扶贫标准", "Poverty line")),
        ):
            declare(Subject(kind, title, visible=lambda viewer, _number: viewer.may("reference.read")))
        watch("reference.Parameter", "reference.PovertyLine", "reference.Code", "reference.CalendarDay")
        hooks.register_code_labels(queries.label_of)
