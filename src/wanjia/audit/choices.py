from django.db import models
from django.utils.translation import gettext_lazy as _


class Kind(models.TextChoices):
    """What sort of act an entry is; the only thing about the act that stands in public."""

    LOAD = "load", _("装载")
    CORRECTION = "correction", _("更正")
    COMPARE_RUN = "compare_run", _("比对运行")
    DISPATCH = "dispatch", _("派发")
    DECISION = "decision", _("决定")
    DELIVERY = "delivery", _("数据交付")
    EVIDENCE = "evidence", _("证据")
    ASSIGNMENT = "assignment", _("结对与分工")
    REFERENCE = "reference", _("代码与参数")
    ACCOUNT = "account", _("账号")
    GRANT = "grant", _("授权")
    RULE = "rule", _("规则")
    FUND = "fund", _("资金")
    ACCESS = "access", _("查阅")
    EXPORT = "export", _("导出")
    INSPECTION = "inspection", _("审计抽样")
