from django.apps import AppConfig


class RulesetConfig(AppConfig):
    name = "wanjia.ruleset"
    label = "ruleset"
    verbose_name = "规则"
    default_auto_field = "django.db.models.BigAutoField"
