from django.db import models
from django.utils.translation import gettext_lazy as _


class Lane(models.TextChoices):
    """Two queues, so that somebody who waits at a screen never waits behind a province."""

    INTERACTIVE = "interactive", _("即时")
    HEAVY = "heavy", _("批量")


class State(models.TextChoices):
    QUEUED = "queued", _("排队中")
    RUNNING = "running", _("进行中")
    DONE = "done", _("已完成")
    FAILED = "failed", _("未完成")
    CANCELLED = "cancelled", _("已取消")


OPEN_STATES = (State.QUEUED, State.RUNNING)
