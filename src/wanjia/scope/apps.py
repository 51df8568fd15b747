from django.apps import AppConfig


class ScopeConfig(AppConfig):
    name = "wanjia.scope"
    label = "scope"
    verbose_name = "权限范围"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from wanjia.scope import checks, lookups, routes  # noqa: F401 - importing registers them
