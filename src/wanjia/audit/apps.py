from django.apps import AppConfig


class AuditConfig(AppConfig):
    name = "wanjia.audit"
    label = "audit"
    verbose_name = "存证"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from wanjia.audit import acts

        acts.discover()
