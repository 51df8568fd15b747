from django.db.models import TextChoices
from django.utils.translation import gettext_lazy as _


class RunStatus(TextChoices):
    """Where a run stands. Only a done run's findings may be issued."""

    REQUESTED = "requested", _("等待比对")
    DONE = "done", _("已完成")
    HELD = "held", _("待确认")  # a rule flagged an implausible share; somebody must look first
    DISCARDED = "discarded", _("已作废")


class Decision(TextChoices):
    """What the province's screening decided about a finding."""

    ISSUED = "issued", _("已下发")
    DROPPED = "dropped", _("不下发")
    REPEATED = "repeated", _("与未办结疑点重复")
