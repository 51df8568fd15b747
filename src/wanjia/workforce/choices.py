from django.db import models
from django.utils.translation import gettext_lazy as _


class Objection(models.TextChoices):
    """Why a pairing is not made (domain.md §11.2)."""

    ACCOUNT_UNKNOWN = "account_unknown", _("没有这个账号，或账号已停用")
    HOUSEHOLD_UNKNOWN = "household_unknown", _("没有这一户，或该户已退出登记")
    BACKWARDS = "backwards", _("开始日期在将来")
    ALREADY_PAIRED = "already_paired", _("已经结对")
    CONTACT_IS_POOR = "contact_is_poor", _("帮扶联系人本人是在册贫困人口")
    CONTACT_IS_RELATIVE = "contact_is_relative", _("帮扶联系人是该户家庭成员")
