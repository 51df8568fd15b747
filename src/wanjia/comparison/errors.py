"""What the comparison refuses. Nothing was changed in any of these cases."""

from __future__ import annotations

from wanjia.kernel.errors import Refusal, Sentence


class NoActiveRules(Refusal):
    """A run without rules would report that all is well."""

    code = "comparison.no_active_rules"
    status = 409
    facts = ("on", "region")
    what = Sentence(
        "{on} {region} 没有生效的规则，没有进行比对。", "On {on} no rule is in force in {region}; nothing was compared."
    )
    cure = Sentence("请检查规则文件的有效期。", "Check the validity of the rule files.")


class NoBatches(Refusal):
    """No department data are accepted for the region."""

    code = "comparison.no_batches"
    status = 409
    facts = ("region",)
    what = Sentence(
        "{region} 还没有已采纳的部门数据，没有进行比对。",
        "No department data are accepted for {region}; nothing was compared.",
    )
    cure = Sentence("请先接收并采纳部门数据。", "Receive and accept a department's file first.")


class NotResolved(Refusal):
    """A current batch has not been matched with the snapshot the run stands on."""

    code = "comparison.not_resolved"
    status = 409
    facts = ("dataset", "batch")
    what = Sentence(
        "{dataset} 第 {batch} 批尚未与同一份建档立卡快照匹配，没有进行比对。",
        "Batch {batch} of {dataset} is not resolved against the snapshot of the run; nothing was compared.",
    )
    cure = Sentence("请先完成该批数据的身份匹配，再重新比对。", "Resolve the batch, then compare again.")


class RulesChanged(Refusal):
    """The program's rules are no longer those the run was asked for with."""

    code = "comparison.rules_changed"
    status = 409
    facts = ("run", "rules")
    what = Sentence(
        "第 {run} 次比对等待期间规则已变更（{rules}），没有执行。",
        "The rules of run {run} changed while it waited ({rules}).",
    )
    cure = Sentence("请重新发起比对，新的比对使用新规则。", "Ask for a new run; it will use the new rules.")


class InputsChanged(Refusal):
    """A file the run was pinned to is not what it was; immutable data must not change."""

    code = "comparison.inputs_changed"
    status = 500
    facts = ("address",)
    what = Sentence(
        "比对固定的输入 {address} 已被改动，没有执行。", "The pinned input {address} was changed; the run was not made."
    )
    cure = Sentence(
        "请从备份恢复数据湖，然后重新发起比对。", "Restore the lake from its backup, then ask for a new run."
    )


class RunNotReady(Refusal):
    """The run has no findings to show or issue yet, or no longer."""

    code = "comparison.run_not_ready"
    status = 409
    facts = ("run", "status")
    what = Sentence(
        "第 {run} 次比对目前不能这样处理（状态：{status}）。",
        "Run {run} cannot be used like this now (status: {status}).",
    )
    cure = Sentence(
        "等待中的比对请稍后再看；待确认的请先确认或作废；已作废的请使用最近一次完成的比对。",
        "Wait for a run under way, confirm or discard a held one; instead of a discarded one use the latest.",
    )


class RunSuperseded(Refusal):
    """A newer run is done: what this one found may be settled or wrong by now, so nothing is issued from it."""

    code = "comparison.run_superseded"
    status = 409
    facts = ("run", "newer")
    what = Sentence(
        "已有更新的第 {newer} 次比对，不再从第 {run} 次比对下发，没有下发任何内容。",
        "Run {newer} is newer, so nothing is issued from run {run} any more; nothing was issued.",
    )
    cure = Sentence("请从第 {newer} 次比对下发。", "Issue from run {newer}.")


class BadFilter(Refusal):
    """A filter of the list is none we know."""

    code = "comparison.bad_filter"
    status = 400
    facts = ("name",)
    what = Sentence("筛选条件 {name} 无效。", "The filter {name} is not valid.")
    cure = Sentence("请从列表页重新选择。", "Choose again from the list page.")


class CorrectionNotPossible(Refusal):
    """The proposed correction does not fit the verdict or the household."""

    code = "comparison.correction_not_possible"
    status = 422
    facts = ("case_no", "problem")
    what = Sentence(
        "核查件 {case_no} 的整改方式不可用：{problem}。没有任何内容被改动。",
        "The correction of case {case_no} cannot be used: {problem}. Nothing was changed.",
    )
    cure = Sentence(
        "请按核查结果选择页面列出的整改方式，并补全内容。",
        "Choose a correction the page lists for this verdict and complete it.",
    )


class FindingsChanged(Refusal):
    """A selection was confirmed for another number of findings than match now."""

    code = "comparison.findings_changed"
    status = 409
    facts = ("expected", "found")
    what = Sentence(
        "您确认的是 {expected} 条疑点，但现在符合条件的是 {found} 条，没有下发任何内容。",
        "You confirmed {expected} findings, but {found} match now; nothing was issued.",
    )
    cure = Sentence("请重新查看列表后再确认。", "Look at the list again, then confirm.")


class DataWithdrawn(Refusal):
    """Between the look at what would be issued and its confirmation data the run stood on was withdrawn."""

    code = "comparison.data_withdrawn"
    status = 409
    facts = ("batches",)
    what = Sentence(
        "您查看之后，本次比对用到的第 {batches} 批数据已撤回，没有下发任何内容。",
        "Since you looked, batch {batches}, which this run used, was withdrawn; nothing was issued.",
    )
    cure = Sentence(
        "建议用现有数据重新比对；仍要下发的，请看过提示再确认。",
        "Better compare again over what is current; to issue all the same, read the note and confirm.",
    )


class NothingToIssue(Refusal):
    """Every finding that matches has been decided already."""

    code = "comparison.nothing_to_issue"
    status = 409
    facts = ("found",)
    what = Sentence(
        "符合条件的 {found} 条疑点都已处理，没有需要下发的。", "All {found} findings that match were decided already."
    )
    cure = Sentence(
        "请换一个筛选条件，或到核查件列表查看进度。",
        "Change the filter, or follow their progress in the list of cases.",
    )


class FeedbackMovedOn(Refusal):
    """Somebody answered the feedback, or its finding was taken back, after this person opened it."""

    code = "comparison.feedback_moved_on"
    status = 409
    facts = ("number", "by", "at", "state")
    what = Sentence(
        "第 {number} 条反馈已由{by}于 {at} 办理，现为“{state}”；您的答复没有生效，没有任何内容被改动。",
        "Feedback {number} was moved on by {by} at {at}, now “{state}”; your answer had no effect, nothing changed.",
    )
    cure = Sentence(
        "请打开该条反馈查看最新情况，再决定是否还需要答复。",
        "Open the feedback to see where it stands now, then decide whether anything is left to answer.",
    )


class DisputeNeedsReason(Refusal):
    """A dispute without a reason gives the county nothing to look at."""

    code = "comparison.dispute_needs_reason"
    status = 422
    facts = ()
    what = Sentence(
        "没有写明异议的理由，答复没有生效，没有任何内容被改动。",
        "The dispute has no reason; the answer had no effect and nothing was changed.",
    )
    cure = Sentence(
        "请写明依据（如登记档案、办理时间），供县级复核。",
        "Say what it rests on (a file, a date), for the county to look at.",
    )


class FeedbackUnreadable(Refusal):
    """The answer to a feedback did not come as the page sends it."""

    code = "comparison.feedback_unreadable"
    status = 422
    facts = ("number",)
    what = Sentence(
        "第 {number} 条反馈的答复无法读取（理由最多 1000 字），没有任何内容被改动。",
        "The answer to feedback {number} could not be read (at most 1000 characters of reason); nothing was changed.",
    )
    cure = Sentence(
        "请在页面上重新选择“认可”或“有异议”后提交。", "Choose “agree” or “dispute” on the page and send it again."
    )
