from wanjia.kernel.errors import Refusal, Sentence

_NOTHING_ZH, _NOTHING_EN = "没有导出任何内容。", "Nothing was exported."


class ApprovalNeeded(Refusal):
    """The list is longer than anybody takes away alone."""

    code = "exports.approval_needed"
    status = 409
    facts = ("rows", "most")
    what = Sentence(
        "这份名单有 {rows} 行，超过无需审批的 {most} 行。" + _NOTHING_ZH,
        "This list has {rows} rows, more than the {most} that need no approval. " + _NOTHING_EN,
    )
    cure = Sentence(
        "请在列表页点“申请导出”，由本单位或上级的另一人审批；或缩小筛选条件。",
        "Choose “Ask to export” on the list's page, for another of your office or above to approve; or narrow it.",
    )


class NoApprovalNeeded(Refusal):
    """The list is short enough to be taken as it is."""

    code = "exports.no_approval_needed"
    status = 409
    facts = ("rows", "most")
    what = Sentence(
        "这份名单只有 {rows} 行，不超过 {most} 行，没有提交申请。",
        "This list has {rows} rows, not more than {most}; nothing was asked for.",
    )
    cure = Sentence("请在列表页直接导出。", "Export it from the list's page.")


class RowsChanged(Refusal):
    """The list is not the one that was seen or approved."""

    code = "exports.rows_changed"
    status = 409
    facts = ("expected", "rows")
    what = Sentence(
        "名单有变动：原为 {expected} 行，现为 {rows} 行。" + _NOTHING_ZH,
        "The list has changed: {expected} rows before, {rows} now. " + _NOTHING_EN,
    )
    cure = Sentence("请按现在的行数重新申请。", "Ask again, for the list as it is now.")


class OtherList(Refusal):
    """The approval is for another list or another filter."""

    code = "exports.other_list"
    status = 409
    what = Sentence(
        "批准的不是这份名单或这些筛选条件。" + _NOTHING_ZH,
        "What was approved is another list or another filter. " + _NOTHING_EN,
    )
    cure = Sentence(
        "请从“导出申请”中打开已批准的那一份，或重新申请。",
        "Fetch the approved one from “Export requests”, or ask again.",
    )


class ApprovalOver(Refusal):
    """The request is not, or no longer, one that can be fetched: undecided, declined, fetched before, too late."""

    code = "exports.approval_over"
    status = 409
    facts = ("state",)
    what = Sentence(
        "这份申请{state}，不能下载。" + _NOTHING_ZH, "This request cannot be fetched: {state}. " + _NOTHING_EN
    )
    cure = Sentence(
        "批准后请在期限内下载，每次批准只能下载一次；如仍需要，请重新申请。",
        "An approval is for one download within its time; ask again if you still need it.",
    )


class NotYourOwn(Refusal):
    """Nobody approves what he asked for, nor what his deputy or the one he stands in for did."""

    code = "exports.not_your_own"
    status = 403
    what = Sentence(
        "不能审批自己的申请，也不能审批代理关系中对方的申请。没有任何内容被改动。",
        "Nobody decides about his own request, nor that of his deputy or principal. Nothing was changed.",
    )
    cure = Sentence("请由另一位有审批权限的人办理。", "Let another person with this permission decide.")


class AlreadyDecided(Refusal):
    """Somebody decided about it before."""

    code = "exports.already_decided"
    status = 409
    facts = ("state",)
    what = Sentence(
        "这份申请{state}。没有任何内容被改动。", "This request has been dealt with: {state}. Nothing was changed."
    )
    cure = Sentence("无需再办；刷新页面可看到最新情况。", "Nothing needs doing; reload the page to see how it stands.")
