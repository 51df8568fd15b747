from wanjia.kernel.errors import Refusal, Sentence

NOTHING_CHANGED = Sentence("没有任何内容被改动。", "Nothing was changed.")


class ReasonMissing(Refusal):
    """A change or a look at a protected value needs a reason."""

    code = "registry.reason_missing"
    facts = ("shortest", "longest")
    what = Sentence(
        "没有填写理由，或理由过短、过长，操作未执行。",
        "The reason is missing, too short or too long; nothing was done.",
    )
    cure = Sentence(
        "请用 {shortest} 至 {longest} 个字说明理由。", "State the reason in {shortest} to {longest} characters."
    )


class FieldNotEditable(Refusal):
    """The field does not exist, or changes only through another service."""

    code = "registry.field_not_editable"
    facts = ("field",)
    what = Sentence(
        "字段 {field} 不能直接更正，没有任何内容被改动。",
        "The field {field} cannot be corrected directly; nothing was changed.",
    )
    cure = Sentence(
        "请使用对应的业务操作（脱贫、清退、成员增减、更换户主）。",
        "Use the operation for it: exit, removal, member changes, change of head.",
    )


class ValueNotAccepted(Refusal):
    """A new value does not fit its field."""

    code = "registry.value_not_accepted"
    facts = ("field", "problem")
    what = Sentence(
        "“{field}”的新值不符合要求（{problem}），没有任何内容被改动。",
        "The new value of {field} does not fit ({problem}); nothing was changed.",
    )
    cure = Sentence("请按代码表和格式要求更正后重新提交。", "Correct it to the code list or format and submit again.")


class RecordChangedMeanwhile(Refusal):
    """What the writer saw is no longer what stands in the registry."""

    code = "registry.record_changed_meanwhile"
    status = 409
    facts = ("conflicts",)
    what = Sentence(
        "有 {conflicts} 项内容在您查看之后已被他人更改，本次提交未执行。",
        "{conflicts} of the values were changed by somebody else after you looked; nothing was written.",
    )
    cure = Sentence(
        "请重新打开该户，核对现在的内容后再提交。",
        "Open the household again, look at its present values, and submit once more.",
    )


class EditedTwice(Refusal):
    """One submission names the same field of the same row more than once."""

    code = "registry.edited_twice"
    facts = ("field",)
    what = Sentence(
        "同一提交中“{field}”出现了两次，没有任何内容被改动。",
        "One submission changes {field} of the same record twice; nothing was changed.",
    )
    cure = Sentence("请只保留一个新值。", "Keep one new value.")


class HouseholdNotLive(Refusal):
    """The household was removed or cancelled before."""

    code = "registry.household_not_live"
    status = 409
    facts = ("household_no",)
    what = Sentence(
        "户 {household_no} 已清退或注销，没有任何内容被改动。",
        "Household {household_no} was removed or cancelled before; nothing was changed.",
    )
    cure = Sentence(
        "请查看该户的变更记录；如清退有误，请由县级重新识别。",
        "See its history; if the removal was wrong, the county identifies it anew.",
    )


class CannotExit(Refusal):
    """Only a poor, planned or returned household exits."""

    code = "registry.cannot_exit"
    status = 409
    facts = ("household_no", "year")
    what = Sentence(
        "户 {household_no} 现在的状态或年度（{year}）不能办理脱贫，没有任何内容被改动。",
        "Household {household_no} cannot exit in {year} from its present status; nothing was changed.",
    )
    cure = Sentence("请核对脱贫标志和识别年度。", "Check its poverty status and the year it was identified.")


class HeadMustBeNamed(Refusal):
    """A household with members has exactly one head among them."""

    code = "registry.head_must_be_named"
    facts = ("household_no",)
    what = Sentence(
        "办理后户 {household_no} 将没有在户的户主，没有任何内容被改动。",
        "This would leave household {household_no} without a head; nothing was changed.",
    )
    cure = Sentence("请同时指定一名在户成员为新户主。", "Name a remaining member as the new head.")


class NotAMember(Refusal):
    """A person named is not in the household now."""

    code = "registry.not_a_member"
    facts = ("household_no",)
    what = Sentence(
        "所选人员中有人现在不是户 {household_no} 的在户成员，没有任何内容被改动。",
        "Somebody named is not in household {household_no} now; nothing was changed.",
    )
    cure = Sentence("请刷新成员名单后重新选择。", "Reload the members and choose again.")


class NumberRegistered(Refusal):
    """The identity number of a newcomer, or the corrected one, is somebody's already."""

    code = "registry.number_registered"
    status = 409
    facts = ()
    what = Sentence(
        "这个证件号码已登记在另一人名下，没有任何内容被改动。",
        "This identity number is registered for somebody else already; nothing was changed.",
    )
    cure = Sentence(
        "请核对证件原件；如是同一人，请按重复建档或成员转入办理。",
        "Compare it with the certificate; if it is the same person, treat it as registered twice or moved in.",
    )


class NotOnePerson(Refusal):
    """Two entries do not hold the same identity number, so they are not one person registered twice."""

    code = "registry.not_one_person"
    status = 409
    facts = ()
    what = Sentence(
        "两处登记的证件号码不是同一个，不能合并，没有任何内容被改动。",
        "The two entries do not hold one identity number and cannot be merged; nothing was changed.",
    )
    cure = Sentence("请先核对并更正证件号码。", "Look at the certificates and correct the number first.")


class ColumnsMissing(Refusal):
    """A table of a load lacks declared columns, or has others, or of another type."""

    code = "registry.columns_missing"
    facts = ("table", "columns")
    what = Sentence(
        "装载表 {table} 的列与约定不符（{columns}），没有装载任何数据。",
        "The table {table} does not have the declared columns ({columns}); nothing was loaded.",
    )
    cure = Sentence("请按参考手册中的列定义提供数据。", "Provide the columns the reference describes.")


class NothingToLoad(Refusal):
    """Not one household of the batch passed the checks."""

    code = "registry.nothing_to_load"
    facts = ("rows", "first_reason")
    what = Sentence(
        "{rows} 行数据中没有一户通过校验（最常见原因：{first_reason}），没有装载任何数据。",
        "Not one household in {rows} rows passed the checks (most often: {first_reason}); nothing was loaded.",
    )
    cure = Sentence("请核对行政区划、编号和户主信息后重新装载。", "Check divisions, numbers and heads, and load again.")


class NotProtected(Refusal):
    """Only protected values are revealed; the others are shown."""

    code = "registry.not_protected"
    facts = ("field",)
    what = Sentence(
        "字段 {field} 不是受保护内容，无需申请查看。", "The field {field} is not protected; there is nothing to reveal."
    )
    cure = Sentence("请在户页面直接查看。", "Read it on the household's page.")


class RequestOver(Refusal):
    """The change request was decided or taken back already."""

    code = "registry.request_over"
    status = 409
    facts = ("state",)
    what = Sentence(
        "该变更申请已处理（{state}），没有任何内容被改动。", "The request is over ({state}); nothing was changed."
    )
    cure = Sentence("请刷新页面查看处理结果。", "Open it again to see what was decided.")


class NotYourRequest(Refusal):
    """Who proposed or reviewed a change, is of the family or helps it does not decide about it (domain.md §16.3)."""

    code = "registry.not_your_request"
    status = 403
    facts = ()
    what = Sentence(
        "提出人、已审核人、与其互为代理的人、该户亲属和帮扶联系人不能审核这件申请，没有任何内容被改动。",
        "Whoever proposed or reviewed it, stands in for one of these or has him standing in, is of the family or"
        " helps it cannot decide; nothing was changed.",
    )
    cure = Sentence(
        "请由同级其他审核人处理；代理人与被代理人视为一人，代理当日结束的仍算当日。",
        "Let somebody else of the same office decide; a deputy and his principal count as one, to the end of the day.",
    )


class ConflictsUndecided(Refusal):
    """Values of a request were changed by somebody else meanwhile, and nobody said which to keep."""

    code = "registry.conflicts_undecided"
    status = 409
    facts = ("conflicts",)
    what = Sentence(
        "有 {conflicts} 项内容在申请提出后已被他人更改，尚未选择保留哪一个，没有任何内容被改动。",
        "{conflicts} values were changed by somebody else since; which to keep was not said, and nothing was changed.",
    )
    cure = Sentence(
        "请逐项选择“采用申请值”或“保留现值”。", "Say for each whether to take the wanted value or keep the present one."
    )


class NothingProposed(Refusal):
    """A submission names no value that differs from what stands in the registry."""

    code = "registry.nothing_proposed"
    facts = ()
    what = Sentence(
        "没有填写与现值不同的内容，没有任何内容被改动。", "No value differs from the present ones; nothing was changed."
    )
    cure = Sentence("请修改后再提交。", "Change something and submit again.")


class YearUnknown(Refusal):
    """There is no such reporting year."""

    code = "registry.year_unknown"
    status = 404
    facts = ("year",)
    what = Sentence("没有 {year} 报告年度。", "There is no reporting year {year}.")
    cure = Sentence("请在“年度”页面查看已有的年度。", "The page of the years lists those there are.")


class YearNotOpen(Refusal):
    """A load is of another year than the open one."""

    code = "registry.year_not_open"
    status = 409
    facts = ("year", "open")
    what = Sentence(
        "{year} 年度不是开放年度（现在开放的是 {open} 年度），没有装载任何数据。",
        "{year} is not the open reporting year ({open} is); nothing was loaded.",
    )
    cure = Sentence(
        "请按开放年度装载；以前年度的情况作为年度表一并装载。",
        "Load it for the open year; facts of earlier years go along as yearly rows.",
    )


class YearSealedAlready(Refusal):
    """The year was sealed before."""

    code = "registry.year_sealed_already"
    status = 409
    facts = ("year",)
    what = Sentence("{year} 年度已经封存。", "The year {year} is sealed already.")
    cure = Sentence(
        "封存的年度不再改变；如数据有误，请办理封存后更正。",
        "A sealed year does not change; what is wrong in it is corrected beside it.",
    )


class YearOutOfOrder(Refusal):
    """An earlier year waits to be sealed first."""

    code = "registry.year_out_of_order"
    status = 409
    facts = ("year", "first")
    what = Sentence(
        "{first} 年度尚未封存，不能先封存 {year} 年度。", "{first} is not sealed yet, so {year} cannot be sealed."
    )
    cure = Sentence("请从最早的年度开始依次封存。", "Seal the oldest year first.")


class YearNotSound(Refusal):
    """Checks found what must be put right before the year is sealed."""

    code = "registry.year_not_sound"
    status = 409
    facts = ("year", "problems", "first")
    what = Sentence(
        "{year} 年度有 {problems} 处错误（{first}），没有封存。",
        "The year {year} has {problems} errors ({first}); it was not sealed.",
    )
    cure = Sentence("请在年度检查页面查看并更正后再封存。", "Look at the checks of the year, correct, and seal again.")


class WarningsNotConfirmed(Refusal):
    """What the checks warn of was not confirmed, or is no longer as many as was confirmed."""

    code = "registry.warnings_not_confirmed"
    status = 409
    facts = ("year", "warnings")
    what = Sentence(
        "{year} 年度有 {warnings} 项提示未按现在的数量确认，没有封存。",
        "{warnings} warnings about {year} are not confirmed with their present counts; it was not sealed.",
    )
    cure = Sentence("请查看各项提示及数量，确认后再封存。", "Look at the warnings and their counts, and confirm them.")


class YearNotSealed(Refusal):
    """Only a sealed year has corrections beside it."""

    code = "registry.year_not_sealed"
    status = 409
    facts = ("year",)
    what = Sentence("{year} 年度尚未封存，没有任何内容被改动。", "The year {year} is not sealed; nothing was changed.")
    cure = Sentence("请直接更正登记内容。", "Correct the registry itself.")


class ColumnsNeeded(Refusal):
    """A first registration's sheet has no column for what every household must have, and nobody said it either."""

    code = "registry.columns_needed"
    status = 422
    facts = ("columns",)
    what = Sentence(
        "户年度表中没有“{columns}”这些列，首次登记必须有；没有导入任何内容。",
        "The household sheet has no column for {columns}, which a first registration needs; nothing was taken in.",
    )
    cure = Sentence(
        "请在表中补上这些列，或在上传时为整张表统一填写。", "Add the columns, or say the value for the whole sheet."
    )


class YearNeeded(Refusal):
    """Neither the sheets nor their sender say which year they are of."""

    code = "registry.year_needed"
    status = 422
    what = Sentence(
        "表中没有“年度”列，或列中没有填写，上传时也没有填写年度；没有导入任何内容。",
        "Neither the sheets nor you say the year; nothing taken in.",
    )
    cure = Sentence("请在上传时填写年度。", "Say the year when you upload them.")


class SheetTooLong(Refusal):
    """The sheet has more lines than are read at once: all its rows are compared with each other, in memory."""

    code = "registry.sheet_too_long"
    status = 413
    facts = ("most",)
    what = Sentence(
        "表格超过 {most} 行；没有导入任何内容。", "The sheet has more than {most} lines; nothing was taken in."
    )
    cure = Sentence(
        "请按乡镇分成几张表，分次上传。一户和其成员放在同一次。",
        "Split it by township and bring the parts one after another, a household with its members each time.",
    )


class SheetTwice(Refusal):
    """An import already has that sheet."""

    code = "registry.sheet_twice"
    status = 409
    facts = ("sheet",)
    what = Sentence(
        "这次导入已经有一张{sheet}；没有接收这个文件。", "This import has a {sheet} already; the file was not taken."
    )
    cure = Sentence("请上传另一张表，或另起一次导入。", "Upload the other sheet, or begin another import.")


class SheetBroughtBefore(Refusal):
    """The same file was brought before, to be taken in in the same way."""

    code = "registry.sheet_brought_before"
    status = 409
    facts = ("number", "brought_on")
    what = Sentence(
        "这份文件与 {brought_on} 第 {number} 次导入的文件完全相同，没有重复接收。",
        "This file is the same as one of import {number} of {brought_on}; it was not taken in again.",
    )
    cure = Sentence(
        "请上传更正后的文件；如那次导入还没有完成，可以先取消它。",
        "Upload the corrected file; if that import is not finished, cancel it first.",
    )


class ImportMovedOn(Refusal):
    """The import is no longer in the state this act needs."""

    code = "registry.import_moved_on"
    status = 409
    facts = ("number", "status")
    what = Sentence(
        "第 {number} 次导入目前为“{status}”，不能进行此操作；没有改动。",
        "Import {number} is {status}; nothing changed.",
    )
    cure = Sentence("请刷新页面查看最新状态。", "Reload the page to see where it stands.")


class SheetEnded(Refusal):
    """The sender's file is gone: the days it is kept after its import was finished are over."""

    code = "registry.sheet_ended"
    status = 410
    facts = ("number", "removed_on")
    what = Sentence(
        "第 {number} 次导入的原件已于 {removed_on} 按保存期限删除，不能再生成问题表。",
        "The files of import {number} were removed on {removed_on}, when their time was over; no reject sheet is made.",
    )
    cure = Sentence(
        "请把手头的原表重新上传；已导入的行会识别为“已在册”或“与登记相同”。",
        "Upload your own copy again; rows that were taken in are recognised as known.",
    )


class PreviewOutdated(Refusal):
    """The registry has changed since the preview, so the sheets would do something else than was shown."""

    code = "registry.preview_outdated"
    status = 409
    facts = ("number",)
    what = Sentence(
        "第 {number} 次导入预览之后，登记内容已有变动；没有导入任何内容，预览已更新。",
        "The registry has changed since import {number} was previewed; nothing was taken in, the preview is new.",
    )
    cure = Sentence("请重新核对预览后再确认。", "Look at the preview again and confirm.")


class NothingToImport(Refusal):
    """No row of the sheets would change anything."""

    code = "registry.nothing_to_import"
    status = 409
    facts = ("number",)
    what = Sentence("第 {number} 次导入没有任何可以导入的内容。", "Import {number} has nothing to take in.")
    cure = Sentence(
        "请下载问题表更正后重新上传；内容与登记相同的不必再导入。",
        "Fetch the reject sheet, correct and upload it; what is as registered needs no import.",
    )


class WholeNumbersNeedApproval(Refusal):
    """Whole numbers leave in a sheet only through an approved request."""

    code = "registry.whole_numbers_need_approval"
    status = 409
    what = Sentence(
        "含完整号码的表格须经第二人批准才能导出；没有导出任何内容。",
        "A sheet with whole numbers leaves only when a second person has approved it; nothing was exported.",
    )
    cure = Sentence("请先申请导出，写明理由。", "Ask for the export first and say why.")


class SecondPersonNeeded(Refusal):
    """Among the corrections of a sheet are some that somebody else must look at before they stand."""

    code = "registry.second_person_needed"
    status = 409
    facts = ("number",)
    what = Sentence(
        "第 {number} 次导入的更正中有须经审核的内容，上传的人不能自己确认；没有改动。",
        "Import {number} corrects values that are reviewed; whoever brought it does not confirm it. Nothing changed.",
    )
    cure = Sentence(
        "请由有录入和审核权限的另一人（如县级办公室）核对预览后确认。",
        "Another person who may both enter and approve, of the county office say, looks the preview over and confirms.",
    )


class PersonErased(Refusal):
    """The number was somebody's who has been erased; nothing else is known of him."""

    code = "registry.person_erased"
    status = 410
    facts = ("person_no", "day")
    what = Sentence(
        "人员 {person_no} 的信息已于 {day} 依法删除，平台不再保存。",
        "What was held about person {person_no} was erased on {day}; the platform holds it no longer.",
    )
    cure = Sentence(
        "删除的申请和批准记录可在“到期删除”中查询。",
        "Who asked for it and who decided is told under “Erasure after retention”.",
    )


class StillRegistered(Refusal):
    """Only people who have left the registry are erased."""

    code = "registry.still_registered"
    status = 409
    facts = ("person_no",)
    what = Sentence(
        "人员 {person_no} 仍在册，信息不能删除；没有改动。",
        "Person {person_no} is registered; nothing was erased.",
    )
    cure = Sentence(
        "内容有误请更正；确已离开的请先办理成员减少或户退出。",
        "Correct what is wrong; if the person has left, record the leaving first.",
    )


class RetentionNotOver(Refusal):
    """The time for which a person is kept after leaving has not passed."""

    code = "registry.retention_not_over"
    status = 409
    facts = ("person_no", "left_on", "years", "day")
    what = Sentence(
        "人员 {person_no} 于 {left_on} 离开登记，信息须留存 {years} 年；没有改动。",
        "Person {person_no} left the registry on {left_on} and is kept for {years} years; nothing was erased.",
    )
    cure = Sentence("{day} 起可以申请删除。", "Erasure may be asked for from {day} on.")


class ErasureInTheWay(Refusal):
    """Something about the person is still being decided."""

    code = "registry.erasure_in_the_way"
    status = 409
    facts = ("person_no", "cases", "requests")
    what = Sentence(
        "人员 {person_no} 还有未办结的核查件 {cases} 件、变更申请 {requests} 件，信息不能删除；没有改动。",
        "{cases} cases and {requests} change requests about person {person_no} are open; nothing was erased.",
    )
    cure = Sentence("请先办结这些事项。", "Let them be decided first.")


class ErasureAsked(Refusal):
    """One request for one person."""

    code = "registry.erasure_asked"
    status = 409
    facts = ("number",)
    what = Sentence("该人员已有删除申请 {number}，没有改动。", "Erasure {number} is of this person; nothing changed.")
    cure = Sentence("请打开该申请查看。", "Open it to see where it stands.")


class ErasureOver(Refusal):
    """Somebody else was faster."""

    code = "registry.erasure_over"
    status = 409
    facts = ("number", "state")
    what = Sentence(
        "删除申请 {number} 已办结（{state}），没有改动。", "Erasure {number} is over ({state}); nothing changed."
    )
    cure = Sentence("请刷新页面查看。", "Reload the page to see.")


class NotYourErasure(Refusal):
    """Who asks does not decide, nor does whoever stands in for him; only who asked takes it back."""

    code = "registry.not_your_erasure"
    status = 403
    what = Sentence(
        "申请人和其代理人不能批准自己的删除申请，他人不能撤回；没有改动。",
        "Who asked for an erasure, or stands in for who asked, does not decide it, and nobody else takes it back.",
    )
    cure = Sentence(
        "请由县级或省级有此权限的另一人批准。",
        "Another person of the county or the province who may do so decides.",
    )


class TooManyPhotos(Refusal):
    """A household has as many photos as one may have."""

    code = "registry.too_many_photos"
    status = 409
    facts = ("most",)
    what = Sentence(
        "每户最多保存 {most} 张照片，该户已满；照片没有保存。",
        "A household has {most} photos at most, and this one has them; the photo was not kept.",
    )
    cure = Sentence("请先移除不再需要的照片。", "Take away one that is not needed any more first.")
