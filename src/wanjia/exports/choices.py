from django.db import models
from django.utils.translation import gettext_lazy as _


class State(models.TextChoices):
    """How far a request has come; the last two are its ends."""

    ASKED = "asked", _("待审批")
    APPROVED = "approved", _("已批准")
    DECLINED = "declined", _("未批准")
    FETCHED = "fetched", _("已下载")
