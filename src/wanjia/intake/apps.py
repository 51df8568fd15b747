from django.apps import AppConfig


class IntakeConfig(AppConfig):
    name = "wanjia.intake"
    label = "intake"
    verbose_name = "表格读取"
