from django.apps import AppConfig


class ReferenceConfig(AppConfig):
    name = "wanjia.reference"
    label = "reference"
    verbose_name = "基础代码"
    default_auto_field = "django.db.models.BigAutoField"
