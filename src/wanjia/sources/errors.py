"""What can be wrong with a delivery, each with its cure. Nothing of a refused file is kept as data."""

from __future__ import annotations

from wanjia.kernel.errors import Refusal, Sentence
from wanjia.scope.errors import NotAllowed


class ContractMalformed(Refusal):
    """A contract file of the installation does not say what it must."""

    code = "sources.contract_malformed"
    status = 500
    facts = ("file", "problem")
    what = Sentence("数据合同 {file} 有误：{problem}。", "The dataset contract {file} is wrong: {problem}.")
    cure = Sentence(
        "请按 docs/reference/dataset-contracts.md 更正该文件。",
        "Correct it as docs/reference/dataset-contracts.md says.",
    )


class UnknownDataset(Refusal):
    """There is no contract for the dataset."""

    code = "sources.unknown_dataset"
    status = 404
    facts = ("dataset", "known")
    what = Sentence("没有数据集 {dataset} 的数据合同。", "There is no contract for the dataset {dataset}.")
    cure = Sentence("现有数据集：{known}。", "There are contracts for: {known}.")


class FileUnreadable(Refusal):
    """A file that was put away turned out broken when it was read to the end; tells the reason's own sentences."""

    code = "sources.file_unreadable"
    status = 422
    facts = ("batch", "reason", "what_zh", "what_en", "cure_zh", "cure_en")
    what = Sentence("第 {batch} 批无法读取：{what_zh}", "Batch {batch} cannot be read: {what_en}")
    cure = Sentence("{cure_zh}", "{cure_en}")


class AlreadyDelivered(Refusal):
    """The same file came before."""

    code = "sources.already_delivered"
    status = 409
    facts = ("batch", "received_on", "undo")
    what = Sentence(
        "这份文件与 {received_on} 接收的第 {batch} 批完全相同，没有重复接收。",
        "This file is the same as batch {batch}, received on {received_on}; it was not taken in again.",
    )
    cure = Sentence(
        "如需更正，请上传更正后的文件；如原批次有误，请先{undo}原批次。",
        "Upload the corrected file; if that batch was a mistake, {undo} it first.",
    )
    WITHDRAW = Sentence("撤回", "withdraw")  # what was accepted
    SEND_BACK = Sentence("退回", "send back")


class OtherDepartment(NotAllowed):
    """The file is another department's data than the ones its sender hands in."""

    code = "sources.other_department"
    facts = ("dataset", "department")
    what = Sentence(
        "这份文件识别为“{dataset}”，是{department}的数据，您的岗位不能上传；没有接收任何内容。",
        "This file was recognised as {dataset}, data of {department}, which your role does not hand in; "
        "nothing was taken in.",
    )
    cure = Sentence(
        "请核对是否选错了文件；确是该部门的数据的，请由该部门上传。",
        "Make sure it is the right file; data of that department is handed in by its own people.",
    )


class BatchMovedOn(Refusal):
    """The batch is no longer in the state this act needs."""

    code = "sources.batch_moved_on"
    status = 409
    facts = ("batch", "status")
    what = Sentence(
        "第 {batch} 批目前为“{status}”，不能进行此操作；没有改动。", "Batch {batch} is {status}; nothing was changed."
    )
    cure = Sentence("请刷新页面查看最新状态。", "Reload the page to see where it stands.")


class BatchHeld(Refusal):
    """A guard found the batch doubtful, and nobody has let it go on."""

    code = "sources.batch_held"
    status = 409
    facts = ("batch", "why")
    what = Sentence(
        "第 {batch} 批存疑，暂不能采纳：{why}", "Batch {batch} is doubtful and cannot be accepted yet: {why}"
    )
    cure = Sentence(
        "请向部门核实；确认无误的，由有权限的人说明理由后放行，否则退回。",
        "Ask the department. If it is right, somebody with the right lets it go on, with a reason; else send it back.",
    )


class MappingIncomplete(Refusal):
    """A mapping of columns leaves out a field that must be there."""

    code = "sources.mapping_incomplete"
    status = 422
    facts = ("missing",)
    what = Sentence(
        "还没有指明哪一列是：{missing}；没有保存。", "No column is said to be: {missing}; nothing was saved."
    )
    cure = Sentence(
        "请为这些必需的内容各选一列；文件中确实没有的，请部门补充后重新导出。",
        "Choose a column for each; if the file has none, have the department add it and export again.",
    )


class MappingElsewhere(Refusal):
    """A mapping speaks of columns the file does not have."""

    code = "sources.mapping_elsewhere"
    status = 422
    facts = ("column",)
    what = Sentence(
        "对应关系与文件的列不符：{column}；没有保存。",
        "The mapping does not fit the file: {column}; nothing was saved.",
    )
    cure = Sentence("请刷新页面，按文件现有的列重新选择。", "Reload the page and choose for the columns the file has.")


class ReasonNeeded(Refusal):
    """A held batch is let go on, or an accepted one withdrawn, without a reason."""

    code = "sources.reason_needed"
    status = 422
    what = Sentence(
        "放行存疑批次、撤回已采纳的批次必须说明理由；没有改动。",
        "A held batch goes on, and an accepted one is withdrawn, for a reason only; nothing was changed.",
    )
    cure = Sentence("请写明向谁核实、结果如何。", "Say whom you asked and what the answer was.")


class PeriodNeeded(Refusal):
    """A delivery by period does not say which, or another kind of delivery says one."""

    code = "sources.period_needed"
    status = 422
    what = Sentence(
        "分期交付必须写明起止日期（起不晚于止），其他交付方式不写；没有接收任何内容。",
        "A delivery by period states its first and last day in order, and no other does; nothing was taken in.",
    )
    cure = Sentence("请补充或更正起止日期后重新上传。", "State the days, or correct them, and upload again.")


class NothingToAccept(Refusal):
    """A batch without a single acceptable row."""

    code = "sources.nothing_to_accept"
    status = 409
    facts = ("batch",)
    what = Sentence("第 {batch} 批没有一行可以采纳。", "Batch {batch} has not a single row to accept.")
    cure = Sentence("请下载问题表，更正后重新上传。", "Fetch the reject sheet, correct the rows and upload again.")


class OutsideCoverage(Refusal):
    """A delivery claims to cover more than its contract says."""

    code = "sources.outside_coverage"
    status = 422
    facts = ("area", "coverage")
    what = Sentence(
        "覆盖范围 {area} 超出数据合同规定的 {coverage}。",
        "The area {area} is not within the contract's coverage {coverage}.",
    )
    cure = Sentence("请选择合同范围以内的地区。", "Choose an area within the contract's coverage.")
