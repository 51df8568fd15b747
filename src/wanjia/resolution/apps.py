from django.apps import AppConfig


class ResolutionConfig(AppConfig):
    name = "wanjia.resolution"
    label = "resolution"
    verbose_name = "归户"
    default_auto_field = "django.db.models.BigAutoField"
