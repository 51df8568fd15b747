from django.apps import AppConfig


class WorkforceConfig(AppConfig):
    name = "wanjia.workforce"
    label = "workforce"
    verbose_name = "帮扶队伍"
    default_auto_field = "django.db.models.BigAutoField"
