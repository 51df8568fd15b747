from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _


class DeliveryMode(models.TextChoices):
    """What a delivery holds: everything there is, what changed, or one period's events."""

    FULL = "full", _("全量")
    DELTA = "delta", _("增量")
    PERIOD = "period", _("分期")


class BatchStatus(models.TextChoices):
    """How far a delivery has come."""

    RECEIVED = "received", _("待读取")
    UNREADABLE = "unreadable", _("无法读取")
    MAPPING = "mapping", _("待对应列")
    PREVIEWED = "previewed", _("待确认")
    HELD = "held", _("存疑，待决定")
    ACCEPTED = "accepted", _("已采纳")
    REJECTED = "rejected", _("已退回")
    WITHDRAWN = "withdrawn", _("已撤回")  # counted once, and counts no longer


# The same file may be sent again after these.
OVER = (BatchStatus.UNREADABLE, BatchStatus.REJECTED, BatchStatus.WITHDRAWN)


class Likeness(models.TextChoices):
    """Why a column is proposed for a field."""

    HEADER = "header", _("列名相同")
    SYNONYM = "synonym", _("同义列名")
    SIMILAR = "similar", _("列名相近")
    CONTENT = "content", _("内容相符")
    SAVED = "saved", _("已保存的对应")
    NONE = "none", _("没有把握")
