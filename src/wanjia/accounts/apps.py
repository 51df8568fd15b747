from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.apps import AppConfig

if TYPE_CHECKING:
    from wanjia.accounts.models import User


class AccountsConfig(AppConfig):
    name = "wanjia.accounts"
    label = "accounts"
    verbose_name = "账号"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from django.contrib.auth.signals import user_logged_in

        from wanjia.accounts import content, queries
        from wanjia.audit import details, names, subjects, watched
        from wanjia.kernel.errors import Sentence
        from wanjia.scope.errors import name_actions

        # not User: signing in notes the day, which is nobody's act upon the account
        # under the name of Django's own receiver, which then stays out: it asks the machine's clock
        user_logged_in.connect(_signed_in, dispatch_uid="update_last_login")
        watched.watch("accounts.GrantRow", "accounts.Role", "accounts.Deputyship")
        details.register_details("accounts.GrantRow", lambda row: row.facts(), order="id", event="opened_in")
        names.use(queries.names_of)
        name_actions(content.action_titles)
        subjects.declare(
            subjects.Subject("account", Sentence("账号", "Account"), queries.may_see, url_name="accounts:person")
        )


def _signed_in(*, user: User, **_: Any) -> None:
    """Note when somebody was here last, by the platform's clock."""
    from wanjia.kernel import clock

    user.last_login = clock.now()
    user.save(update_fields=["last_login"])
