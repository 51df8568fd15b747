from django.apps import AppConfig


class CaseworkConfig(AppConfig):
    name = "wanjia.casework"
    label = "casework"
    verbose_name = "核查"
    default_auto_field = "django.db.models.BigAutoField"
