from __future__ import annotations

from enum import StrEnum

from django.db import models
from django.utils.translation import gettext_lazy as _


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
