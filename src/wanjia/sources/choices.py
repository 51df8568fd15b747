from __future__ import annotations

from enum import StrEnum

from django.db import models


class DeliveryMode(models.TextChoices):
    """What a delivery holds: everything there is, what changed, or one period's events."""

    FULL = "full", "全量"
    DELTA = "delta", "增量"
    PERIOD = "period", "分期"


class BatchStatus(models.TextChoices):
    """How far a delivery has come."""

    RECEIVED = "received", "已接收,待读取"
    UNREADABLE = "unreadable", "无法读取"
    PREVIEWED = "previewed", "待确认"
    ACCEPTED = "accepted", "已采纳"
    REJECTED = "rejected", "已退回"


OVER = (BatchStatus.UNREADABLE, BatchStatus.REJECTED)  # the same file may be sent again after these


class NonData(StrEnum):
    """Why a line holds no record."""

    TITLE = "title"
    HEADER = "header"
    REPEATED_HEADER = "repeated_header"
    TOTAL = "total"
    NOTE = "note"
    BLANK = "blank"
    CONTINUATION = "continuation"  # a cell with line breaks goes on; the record is counted on its first line


class Severity(StrEnum):
    """What a problem does to its row."""

    REJECT = "reject"
    WARN = "warn"
