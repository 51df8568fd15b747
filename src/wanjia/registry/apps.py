from django.apps import AppConfig


class RegistryConfig(AppConfig):
    name = "wanjia.registry"
    label = "registry"
    verbose_name = "建档立卡"
    default_auto_field = "django.db.models.BigAutoField"
