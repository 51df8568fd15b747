from wanjia.kernel.errors import Refusal, Sentence


class PairingRefused(Refusal):
    """A rule forbids this pairing (domain.md §11.2)."""

    code = "workforce.pairing_refused"
    facts = ("household_no", "objection")
    what = Sentence(
        "不能与户 {household_no} 结对（{objection}），没有任何内容被改动。",
        "This account cannot be paired with household {household_no} ({objection}); nothing was changed.",
    )
    cure = Sentence("请选择另一位帮扶联系人。", "Choose another contact.")


class NotPaired(Refusal):
    """There is no present pairing to end."""

    code = "workforce.not_paired"
    status = 409
    facts = ("household_no",)
    what = Sentence(
        "该联系人现在没有与户 {household_no} 结对，没有任何内容被改动。",
        "The contact is not paired with household {household_no} now; nothing was changed.",
    )
    cure = Sentence("请刷新页面，查看现在的结对关系。", "Reload the page and look at the present pairings.")


class EndsBeforeItBegan(Refusal):
    """A pairing cannot end before the day it began on."""

    code = "workforce.ends_before_it_began"
    facts = ("valid_from",)
    what = Sentence(
        "结束日期早于结对开始日期（{valid_from}），没有任何内容被改动。",
        "The pairing began on {valid_from} and cannot end before; nothing was changed.",
    )
    cure = Sentence("请填写开始日期当天或之后的日期。", "Give that day or a later one.")
