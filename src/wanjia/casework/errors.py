from __future__ import annotations

from wanjia.kernel.errors import Refusal, Sentence


class CaseMovedOn(Refusal):
    """Somebody else acted on the case after this person opened it."""

    code = "casework.moved_on"
    status = 409
    facts = ("case_no", "by", "at")
    what = Sentence(
        "核查件 {case_no} 已由{by}于 {at} 办理，您的操作没有生效，没有任何内容被改动。",
        "Case {case_no} was moved on by {by} at {at}; your action had no effect and nothing was changed.",
    )
    cure = Sentence(
        "请打开该件查看最新情况，再决定是否还需要办理。",
        "Open the case to see where it stands now, then decide whether anything is left to do.",
    )


class ActionNotOffered(Refusal):
    """The case stands in a step that does not offer this action."""

    code = "casework.action_not_offered"
    status = 409
    facts = ("case_no", "action", "step")
    what = Sentence(
        "核查件 {case_no} 目前处于“{step}”，不能进行“{action}”，没有任何内容被改动。",
        "Case {case_no} is at step “{step}”, which does not offer “{action}”; nothing was changed.",
    )
    cure = Sentence("请刷新页面，按页面上给出的选项办理。", "Reload the page and use one of the answers it offers.")


class AsideTooLate(Refusal):
    """What somebody outside says of a case comes when the case no longer stands where it could matter."""

    code = "casework.aside_too_late"
    status = 409
    facts = ("case_no", "step")
    what = Sentence(
        "核查件 {case_no} 目前处于“{step}”，答复没有送达，没有任何内容被改动。",
        "Case {case_no} is at step “{step}”; the answer did not reach it and nothing was changed.",
    )
    cure = Sentence(
        "请刷新页面查看最新情况，再决定是否还需要答复。",
        "Reload the page to see where it stands, then decide whether anything is left to answer.",
    )


class NotYours(Refusal):
    """This person may not act here: another seat, another person, or not impartial."""

    code = "casework.not_yours"
    status = 403
    facts = ("case_no", "bar", "because")
    what = Sentence(
        "您不能办理核查件 {case_no}:{because}。没有任何内容被改动。",
        "You may not act on case {case_no}: {because}. Nothing was changed.",
    )
    cure = Sentence(
        "请由另一位有权限的同志办理，或退回上一环节重新指定。",
        "Let another entitled person act, or return the case to be assigned again.",
    )


class AssigneeBarred(NotYours):
    """The person named may not be given this case."""

    code = "casework.assignee_barred"
    status = 422
    what = Sentence(
        "核查件 {case_no} 不能指派给此人：{because}。没有任何内容被改动。",
        "Case {case_no} cannot be given to this person: {because}. Nothing was changed.",
    )
    cure = Sentence("请从名单中选择可以指派的人员。", "Choose one of the people the list offers.")


class AnswerIncomplete(Refusal):
    """The answer lacks what the action needs."""

    code = "casework.answer_incomplete"
    status = 422
    facts = ("case_no", "missing")
    what = Sentence(
        "核查件 {case_no} 还缺少：{missing}。没有任何内容被改动。",
        "Case {case_no} still needs: {missing}. Nothing was changed.",
    )
    cure = Sentence(
        "请补齐后再提交；已上传的材料仍保留在本件中。",
        "Add it and submit again; what was uploaded stays with the case.",
    )


class VisitDayUnusable(Refusal):
    """A visit cannot lie ahead, nor before its case."""

    code = "casework.visit_day_unusable"
    status = 422
    facts = ("case_no", "on", "first")
    what = Sentence(
        "核查件 {case_no} 的入户日期 {on} 不可用：须在 {first} 立件以后、今天以前。没有任何内容被改动。",
        "The visit of case {case_no} cannot have been on {on}: it lies between the opening on {first} and today. "
        "Nothing was changed.",
    )
    cure = Sentence("请改正入户日期后再提交。", "Correct the day and submit again.")


class UnreadableAnswer(Refusal):
    """A part of the answer cannot be read: a text that is too long, a day that is none."""

    code = "casework.answer_unreadable"
    status = 422
    facts = ("case_no",)
    what = Sentence(
        "核查件 {case_no} 的答复有一处无法识别（日期，或文字超过 2000 字）。没有任何内容被改动。",
        "A part of the answer to case {case_no} cannot be read (a date, or a text of more than 2,000 characters). "
        "Nothing was changed.",
    )
    cure = Sentence("请改正后再提交。", "Correct it and submit again.")


class OutcomeNotOffered(Refusal):
    """The outcome is not among those the action takes."""

    code = "casework.outcome_not_offered"
    status = 422
    facts = ("case_no", "outcome")
    what = Sentence(
        "核查件 {case_no} 不能选择结果“{outcome}”。没有任何内容被改动。",
        "Case {case_no} does not take the outcome “{outcome}”. Nothing was changed.",
    )
    cure = Sentence("请从页面列出的核查结果中选择。", "Choose one of the outcomes the page lists.")


class WhyNotOffered(Refusal):
    """The kind of reason is not among those the action takes."""

    code = "casework.why_not_offered"
    status = 422
    facts = ("case_no", "why")
    what = Sentence(
        "核查件 {case_no} 不能选择原因类别“{why}”。没有任何内容被改动。",
        "Case {case_no} does not take the kind of reason “{why}”. Nothing was changed.",
    )
    cure = Sentence("请从页面列出的原因中选择。", "Choose one of the kinds the page lists.")


class PlaceUnusable(Refusal):
    """A case cannot be sent to, or have its people living at, the place named."""

    code = "casework.place_unusable"
    status = 422
    facts = ("case_no", "place")
    what = Sentence(
        "核查件 {case_no} 的现住地“{place}”不能用：须是另一个地方，并且在可以转去的范围内。没有任何内容被改动。",
        "The place “{place}” cannot be used for case {case_no}: it must be another place, within what this desk "
        "can send to. Nothing was changed.",
    )
    cure = Sentence(
        "请填写乡镇或村的名称或代码；超出本级范围的，退回上级处理。",
        "Name a township or village by name or code; beyond your own area return the case to the level above.",
    )


class CountChanged(Refusal):
    """A bulk action was confirmed for another number of cases than the filter holds now."""

    code = "casework.count_changed"
    status = 409
    facts = ("expected", "found")
    what = Sentence(
        "您确认的是 {expected} 条，但现在符合条件的是 {found} 条，没有任何内容被改动。",
        "You confirmed {expected} cases, but {found} match now; nothing was changed.",
    )
    cure = Sentence("请重新查看列表后再确认。", "Look at the list again, then confirm.")


class CasesChanged(Refusal):
    """A bulk action was confirmed for other cases than the filter holds now, or for the same before they moved."""

    code = "casework.cases_changed"
    status = 409
    facts = ("n",)
    what = Sentence(
        "符合条件的仍是 {n} 条，但您查看之后其中有的已办理过或换成了别的件，没有任何内容被改动。",
        "Still {n} cases match, but since you looked some were acted upon or are others; nothing was changed.",
    )
    cure = Sentence("请看一下现在的情况，再确认。", "Look at how they stand now, then confirm.")


class PlanChanged(Refusal):
    """Cases were to be spread as shown, but by now they would be spread otherwise."""

    code = "casework.plan_changed"
    status = 409
    facts = ("moving", "people")
    what = Sentence(
        "分派方案已有变化：现在是 {moving} 件分给 {people} 人，没有任何内容被改动。",
        "The plan has changed: now {moving} cases would go to {people} people; nothing was changed.",
    )
    cure = Sentence("请看一下新的方案，再确认。", "Look at the new plan, then confirm.")


class NotInBulk(Refusal):
    """The action needs an answer for each case."""

    code = "casework.not_in_bulk"
    status = 400
    facts = ("action",)
    what = Sentence(
        "“{action}”需要逐件办理，没有任何内容被改动。", "“{action}” must be done case by case; nothing was changed."
    )
    cure = Sentence("请打开各件分别办理。", "Open the cases one by one.")


class DeadlineUnusable(Refusal):
    """A chosen deadline lies in the past, on no working day, or so far ahead that nobody would be reminded."""

    code = "casework.deadline_unusable"
    status = 422
    facts = ("due_on", "last")
    what = Sentence(
        "期限 {due_on} 不可用：须为今天以后的工作日，不晚于 {last}。没有任何内容被改动。",
        "The deadline {due_on} cannot be used: it must be a working day after today, up to {last}. "
        "Nothing was changed.",
    )
    cure = Sentence(
        "请另选一个工作日，或不填，按规定天数自动计算。",
        "Choose another working day, or leave it empty for the usual number of days.",
    )


class UntilUnusable(Refusal):
    """An exemption would have ended before it began, or would keep its suspicion away for longer than it may."""

    code = "casework.until_unusable"
    status = 422
    facts = ("case_no", "until", "last")
    what = Sentence(
        "核查件 {case_no} 的例外有效期 {until} 不可用：须在今天至 {last} 之间，没有任何内容被改动。",
        "The last day {until} of the exemption of case {case_no} cannot be used: it lies between today and {last}; "
        "nothing was changed.",
    )
    cure = Sentence(
        "请填写这期间的日期，或不填，按规定天数计算。",
        "Name a day between them, or leave it empty for the usual number of days.",
    )


class NothingToSample(Refusal):
    """No case matches, so no sample can be drawn."""

    code = "casework.nothing_to_sample"
    status = 409
    facts = ()
    what = Sentence("没有符合条件的核查件可供抽查。", "No case matches, so there is nothing to sample.")
    cure = Sentence("请调整筛选条件。", "Change the filter.")


class SampleTooSmall(Refusal):
    """The share is below the one the rules ask for."""

    code = "casework.sample_too_small"
    status = 422
    facts = ("share", "least")
    what = Sentence(
        "抽查比例 {share} 低于规定的 {least}，没有任何内容被改动。",
        "A sample of {share} is below the required {least}; nothing was changed.",
    )
    cure = Sentence("请提高抽查比例。", "Raise the share.")


class NumberInText(Refusal):
    """An identity number was typed into a note; notes are kept in clear and for ever."""

    code = "casework.number_in_text"
    status = 422
    facts = ("case_no",)
    what = Sentence(
        "核查件 {case_no} 的说明里含有身份证号码，没有保存，没有任何内容被改动。",
        "The note on case {case_no} holds an identity number; it was not kept and nothing was changed.",
    )
    cure = Sentence(
        "请删去号码，用姓名或“户主”“长子”等称呼代替。",
        "Take the number out and say “the head” or “the eldest son” instead.",
    )


class CaseClosedAlready(Refusal):
    """The case was closed before this answer came."""

    code = "casework.closed_already"
    status = 409
    facts = ("case_no", "on")
    what = Sentence(
        "核查件 {case_no} 已于 {on} 办结，您的答复没有生效，没有任何内容被改动。",
        "Case {case_no} was closed on {on}; your answer had no effect and nothing was changed.",
    )
    cure = Sentence(
        "不需要再答复；有新证据请联系市级重新核查。", "No answer is needed; for new evidence ask the city to reopen it."
    )


class NothingToAnswer(Refusal):
    """The case's present step asks for no answer that a sheet or a visit could give."""

    code = "casework.nothing_to_answer"
    status = 409
    facts = ("case_no", "step")
    what = Sentence(
        "核查件 {case_no} 目前处于“{step}”，不需要填写答复，没有任何内容被改动。",
        "Case {case_no} is at step “{step}”, which asks for no such answer; nothing was changed.",
    )
    cure = Sentence("请打开该件，按页面上给出的选项办理。", "Open the case and use one of the answers its page offers.")


class AnsweredTwice(Refusal):
    """One sheet answers the same case in two rows."""

    code = "casework.answered_twice"
    status = 422
    facts = ("case_no", "rows")
    what = Sentence(
        "核查件 {case_no} 在表中出现了多次（第 {rows} 行），都没有采用。",
        "Case {case_no} stands in the sheet several times (rows {rows}); none of them was taken.",
    )
    cure = Sentence("请只保留一行，重新上传。", "Keep one row and upload again.")


class RowAltered(Refusal):
    """A row's locked cells do not fit its check column: edited, swapped with another, or made by hand."""

    code = "casework.row_altered"
    status = 422
    facts = ("row",)
    what = Sentence(
        "第 {row} 行的编号、姓名或校验列被改动，或与别的行互换，这一行没有采用。",
        "In row {row} the number, the name or the check column was altered or swapped; the row was not taken.",
    )
    cure = Sentence(
        "请重新下载填写表，只填写白色单元格，不要增删、移动行。",
        "Download the form again, fill in the white cells only, and neither add nor move rows.",
    )


class CellUnusable(Refusal):
    """A cell somebody filled in cannot be used."""

    code = "casework.cell_unusable"
    status = 422
    facts = ("column", "problem")
    what = Sentence("“{column}”一栏{problem}，这一行没有采用。", "“{column}”: {problem}; the row was not taken.")
    cure = Sentence("请更正后重新上传。", "Correct it and upload again.")


class NotAnAnswerSheet(Refusal):
    """A workbook that is none of our forms."""

    code = "casework.not_an_answer_sheet"
    status = 422
    facts = ()
    what = Sentence(
        "这个文件不是从本系统下载的填写表（找不到编号或校验列），没有读入任何内容。",
        "This file is no form downloaded here (its number or check column is missing); nothing was read.",
    )
    cure = Sentence(
        "请在“用 Excel 答复”页下载填写表，在原表上填写后上传。",
        "Download the form on the page “Answer in Excel”, fill it in and upload that very file.",
    )


class TooManyToAnswer(Refusal):
    """A filter holds more cases than one form takes."""

    code = "casework.too_many_to_answer"
    status = 422
    facts = ("n", "most")
    what = Sentence(
        "符合条件的有 {n} 件，一份填写表最多 {most} 件，没有生成文件。",
        "{n} cases match; one form takes at most {most}, and none was made.",
    )
    cure = Sentence("请按村或规则缩小范围，分几份下载。", "Narrow it by village or rule and download several forms.")
