from enum import StrEnum

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


class Handling(TextChoices):
    """What became of a finding, in its own run or through an earlier one."""

    NEW = "new", _("未处理")
    ISSUED = "issued", _("已下发")
    AT_WORK = "at_work", _("在办")
    ANSWERED = "answered", _("已答复")


class FeedbackState(TextChoices):
    """Where a department's feedback stands. Only a given one waits for the department."""

    GIVEN = "given", _("待部门答复")
    AGREED = "agreed", _("部门认可")
    DISPUTED = "disputed", _("部门有异议，待县级处理")
    STOOD_BY = "stood_by", _("县级维持结论")
    LIFTED = "lifted", _("结论已撤回，重新核查")


class DepartmentAnswer(TextChoices):
    """What a department says of a finding that its record is wrong."""

    AGREE = "agree", _("认可")
    DISPUTE = "dispute", _("有异议")


# Outcomes of a suspect the program itself must know (domain.md §6.1); their titles stand in the flow.
CORRECTED = "01"
CORRECTING = "02"
NORMAL_EXIT = "03"
WRONGLY_IDENTIFIED = "04"
EXEMPT = "05"


class Correction(StrEnum):
    """What a correction does to the registry: codes of the list `suspect_correction`."""

    REMOVE = "T5"  # the household was not eligible when it was identified
    EXIT = "T3"  # the household leaves poverty as of a year
    IDENTIFIED = "identified"
    NAME = "name"
    NUMBER = "number"  # with what follows from it: date of birth, sex
    DIED = "died"
    LEFT = "left"
    STRUCK = "struck"  # there is no such person
    KEEP = "keep"  # registered twice: one entry stays
    ADDED = "added"
    RELATION = "relation"
    DIBAO = "dibao"
    TEKUN = "tekun"
    HEALTH = "health"
    MEASURE = "measure"  # put right on the ground; nothing registered changes
    FIELD = "field"  # a value of the household; no longer offered, may still wait for a decision


CORRECTIONS = "suspect_correction"  # the code list
FITS = "outcomes"  # its trait: the verdicts a correction fits
# What a verdict itself means, whatever the rule: offered where nothing of the rule's fits, or the rule is gone.
ALWAYS_OFFERED = (Correction.REMOVE, Correction.EXIT, Correction.MEASURE)
