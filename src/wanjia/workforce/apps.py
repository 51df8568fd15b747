from django.apps import AppConfig


class WorkforceConfig(AppConfig):
    name = "wanjia.workforce"
    label = "workforce"
    verbose_name = "帮扶队伍"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from wanjia.audit import subjects
        from wanjia.audit.details import register_details
        from wanjia.audit.watched import watch
        from wanjia.kernel.errors import Sentence
        from wanjia.workforce.payloads import payload_of_pairing

        watch("workforce.Pairing")
        subjects.declare_page("workforce.read", "household", Sentence("我的帮扶户", "My households"))
        register_details("workforce.Pairing", payload_of_pairing)
