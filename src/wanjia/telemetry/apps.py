from typing import Any

from django.apps import AppConfig


class TelemetryConfig(AppConfig):
    name = "wanjia.telemetry"
    label = "telemetry"
    verbose_name = "运行观测"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from axes.signals import user_locked_out
        from django.contrib.auth.signals import user_logged_in, user_login_failed
        from django.db import connections
        from django.db.backends.signals import connection_created

        from wanjia.telemetry import metrics, statements

        connection_created.connect(statements.install, dispatch_uid="wanjia.statements")
        for connection in connections.all(initialized_only=True):
            statements.install(connection)
        user_logged_in.connect(_counting("right", metrics.SIGN_INS), weak=False, dispatch_uid="wanjia.signed_in")
        user_login_failed.connect(_counting("wrong", metrics.SIGN_INS), weak=False, dispatch_uid="wanjia.wrong")
        user_locked_out.connect(_counting("locked", metrics.SIGN_INS), weak=False, dispatch_uid="wanjia.locked")


def _counting(outcome: str, counter: Any) -> Any:
    return lambda **_: counter.labels(outcome).inc()
