from django.db import models


class Lane(models.TextChoices):
    """Two queues, so that somebody who waits at a screen never waits behind a province."""

    INTERACTIVE = "interactive", "即时"
    HEAVY = "heavy", "批量"


class State(models.TextChoices):
    QUEUED = "queued", "排队中"
    RUNNING = "running", "进行中"
    DONE = "done", "已完成"
    FAILED = "failed", "未完成"
    CANCELLED = "cancelled", "已取消"


OPEN_STATES = (State.QUEUED, State.RUNNING)
