from __future__ import annotations

from enum import StrEnum

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


class NonData(models.TextChoices):
    """Why a line holds no record."""

    TITLE = "title", _("标题行")
    HEADER = "header", _("表头")
    REPEATED_HEADER = "repeated_header", _("重复的表头")
    TOTAL = "total", _("合计行")
    NOTE = "note", _("说明行")
    BLANK = "blank", _("空行")
    UNIT = "unit", _("单位行")
    NUMBERING = "numbering", _("栏次行")
    CONTINUATION = "continuation", _("单元格内换行")  # the record is counted on its first line


class Likeness(models.TextChoices):
    """Why a column is proposed for a field."""

    HEADER = "header", _("列名相同")
    SYNONYM = "synonym", _("同义列名")
    SIMILAR = "similar", _("列名相近")
    CONTENT = "content", _("内容相符")
    SAVED = "saved", _("已保存的对应")
    NONE = "none", _("没有把握")


class UnreadSheet(models.TextChoices):
    """Why a sheet of a workbook is not read."""

    HIDDEN = "hidden", _("隐藏")
    OTHER_COLUMNS = "other_columns", _("列不同")
    EMPTY = "empty", _("空")
    NO_TABLE = "no_table", _("图表")


class Severity(StrEnum):
    """What a problem does to its row."""

    REJECT = "reject"
    WARN = "warn"
