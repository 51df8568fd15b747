from django.db import models


class Kind(models.TextChoices):
    """What sort of act an entry is; the only thing about the act that stands in public."""

    LOAD = "load", "装载"
    CORRECTION = "correction", "更正"
    COMPARE_RUN = "compare_run", "比对运行"
    DISPATCH = "dispatch", "派发"
    DECISION = "decision", "决定"
    DELIVERY = "delivery", "数据交付"
    EVIDENCE = "evidence", "证据"
    ASSIGNMENT = "assignment", "结对与分工"
    REFERENCE = "reference", "代码与参数"
    ACCOUNT = "account", "账号"
    GRANT = "grant", "授权"
    RULE = "rule", "规则"
    FUND = "fund", "资金"
    ACCESS = "access", "查阅"
    EXPORT = "export", "导出"
