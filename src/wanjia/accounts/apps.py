from django.apps import AppConfig


class AccountsConfig(AppConfig):
    name = "wanjia.accounts"
    label = "accounts"
    verbose_name = "账号"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from wanjia.accounts import queries
        from wanjia.audit import names, subjects, watched
        from wanjia.kernel.errors import Sentence

        # not User: signing in notes the day, which is nobody's act upon the account
        watched.watch("accounts.GrantRow", "accounts.Role", "accounts.Deputyship")
        names.use(queries.names_of)
        subjects.declare(
            subjects.Subject("account", Sentence("账号", "Account"), queries.may_see, url_name="accounts:person")
        )
