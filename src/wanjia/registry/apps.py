from django.apps import AppConfig

TABLES = ("Household", "Person", "Membership", "HouseholdYear", "PersonYear", "HouseholdAlias", "PersonAlias", "Change")


class RegistryConfig(AppConfig):
    name = "wanjia.registry"
    label = "registry"
    verbose_name = "建档立卡"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from wanjia.audit import details, subjects
        from wanjia.audit.watched import watch
        from wanjia.kernel.errors import Sentence
        from wanjia.registry.loaded import loaded_rows
        from wanjia.registry.payloads import payload_of_change
        from wanjia.registry.queries import may_read

        watch(*(f"registry.{table}" for table in TABLES))
        details.register_details("registry.Change", payload_of_change)
        details.register_source(details.DetailSource("registry.load", loaded_rows))
        subjects.declare(
            subjects.Subject("household", Sentence("户", "Household"), visible=may_read, url_name="registry:household")
        )
