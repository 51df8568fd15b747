from django.apps import AppConfig


class SourcesConfig(AppConfig):
    name = "wanjia.sources"
    label = "sources"
    verbose_name = "数据来源"
    default_auto_field = "django.db.models.BigAutoField"
