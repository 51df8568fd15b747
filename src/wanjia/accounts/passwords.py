"""What a password must be beyond Django's own checks (domain.md §16.5)."""

from __future__ import annotations

from django.contrib.auth.hashers import check_password
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

from wanjia.accounts.models import User

REMEMBERED = 5


class MixedClasses:
    """Letters and digits, both."""

    def validate(self, password: str, user: User | None = None) -> None:  # noqa: ARG002 - Django's signature
        if not any(sign.isalpha() for sign in password) or not any(sign.isdigit() for sign in password):
            raise ValidationError(_("密码须同时包含字母和数字。"), code="password_not_mixed")

    def get_help_text(self) -> str:
        return _("密码须同时包含字母和数字。")


class NotUsedBefore:
    """None of the account's last five."""

    def validate(self, password: str, user: User | None = None) -> None:
        if user is None or not user.pk:
            return
        known = [user.password, *user.former_passwords][:REMEMBERED]
        if any(check_password(password, encoded) for encoded in known):
            raise ValidationError(_("最近用过的 5 个密码不能再用。"), code="password_used_before")

    def get_help_text(self) -> str:
        return _("最近用过的 5 个密码不能再用。")
