from django.db import models


class DayKind(models.TextChoices):
    """What a day of the calendar is, other than what its weekday says."""

    HOLIDAY = "holiday", "放假"
    MAKEUP = "makeup", "调休上班"


class LineKind(models.TextChoices):
    """Which poverty line (domain.md §4.9)."""

    NBS_CURRENT = "nbs_current", "国家统计局现价标准"
    WORKING = "working", "工作标准"
    MONITORING = "monitoring", "监测收入参考线"


class ValueType(models.TextChoices):
    """How a parameter's value is read and checked."""

    DAYS = "days", "工作日数"
    INTEGER = "integer", "整数"
    SHARE = "share", "比例(0–1)"
    DECIMAL = "decimal", "小数"
    TEXT = "text", "文本"
