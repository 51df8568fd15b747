from django.apps import AppConfig


class OfficeConfig(AppConfig):
    name = "wanjia.office"
    label = "office"
    verbose_name = "办公端"
    default_auto_field = "django.db.models.BigAutoField"
