from django.apps import AppConfig


class SourcesConfig(AppConfig):
    name = "wanjia.sources"
    label = "sources"
    verbose_name = "数据来源"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from wanjia.audit import subjects, watched
        from wanjia.kernel.errors import Sentence
        from wanjia.sources import queries

        watched.watch("sources.Batch")
        watched.watch("sources.ColumnMapping")
        subjects.declare(
            subjects.Subject("batch", Sentence("数据批次", "Batch"), queries.may_see, url_name="sources:batch")
        )
