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


class FileRefused(Refusal):
    """Base of what is wrong with a file as a whole, beside what the reading of workbooks refuses."""

    status = 422


class EmptyFile(FileRefused):
    """The file has no content, or a header and no rows."""

    code = "sources.empty_file"
    what = Sentence("文件中没有数据行，没有接收任何内容。", "The file holds no rows; nothing was taken in.")
    cure = Sentence("请核对导出条件后重新导出并上传。", "Check the export's conditions, export again and upload.")


class UnsupportedFormat(FileRefused):
    """An old workbook, an archive, a page: recognised by content, not read."""

    code = "sources.unsupported_format"
    facts = ("format",)
    what = Sentence(
        "这是 {format} 文件，只接收 Excel 工作簿（.xlsx）和 CSV 文本；没有接收任何内容。",
        "This is a {format} file; Excel workbooks (.xlsx) and CSV text are taken in. Nothing was taken in.",
    )
    cure = Sentence(
        "请在表格软件中另存为“Excel 工作簿(.xlsx)”或“CSV(逗号分隔)”后上传，证件号码列须为“文本”；压缩包请先解压。",
        "Save it as an Excel workbook (.xlsx) or as CSV, the identity number column as text; unpack archives first.",
    )


class HiddenSheet(FileRefused):
    """The only sheet that holds the dataset is hidden."""

    code = "sources.hidden_sheet"
    facts = ("sheet",)
    what = Sentence(
        "数据只在隐藏的工作表“{sheet}”中，系统不读取隐藏的工作表；没有接收任何内容。",
        "The data stands in the hidden sheet {sheet} alone, and hidden sheets are not read; nothing was taken in.",
    )
    cure = Sentence(
        "请取消隐藏该工作表，核对内容后重新上传。", "Make the sheet visible, look it over and upload again."
    )


class UnknownUnit(FileRefused):
    """Amounts in a unit that is not read."""

    code = "sources.unknown_unit"
    facts = ("unit",)
    what = Sentence(
        "金额单位为“{unit}”，系统只识别“元”和“万元”；没有接收任何内容。",
        "Amounts are in {unit}; only 元 and 万元 are read. Nothing was taken in.",
    )
    cure = Sentence("请换算成元后重新导出。", "Convert them to 元 and export again.")


class BinaryFile(FileRefused):
    """Not text at all."""

    code = "sources.binary_file"
    what = Sentence("文件内容不是文本，没有接收任何内容。", "The file is not text; nothing was taken in.")
    cure = Sentence("请确认选对了文件，并导出为 CSV。", "Make sure it is the right file, exported as CSV.")


class Undecodable(FileRefused):
    """Text in no encoding known here, or damaged."""

    code = "sources.undecodable"
    facts = ("line",)
    what = Sentence(
        "从第 {line} 行起文字编码无法识别（既不是 UTF-8 也不是 GB18030），没有接收任何内容。",
        "From line {line} on the text is neither UTF-8 nor GB18030; nothing was taken in.",
    )
    cure = Sentence(
        "请重新导出；如经过邮件或聊天软件传送，请改用压缩包传送。",
        "Export it again; send it packed if it travels by mail or chat.",
    )


class UnknownLayout(FileRefused):
    """No header of a known dataset within the first lines."""

    code = "sources.unknown_layout"
    facts = ("lines", "nearest", "missing")
    what = Sentence(
        "前 {lines} 行中没有找到已知数据集的表头（最接近：{nearest}，缺少列：{missing}）；没有接收任何内容。",
        "No known header within the first {lines} lines (nearest: {nearest}, lacking: {missing}); nothing taken in.",
    )
    cure = Sentence(
        "请保留原表头导出；如部门更改了列名，请让数据管理员在数据合同中补充同义列名。",
        "Export it with its header; if the department renamed columns, have the new names added to the contract.",
    )


class WrongDataset(FileRefused):
    """The file is another dataset than the one asked for."""

    code = "sources.wrong_dataset"
    facts = ("expected", "found")
    what = Sentence(
        "选择的是 {expected}，文件内容却是 {found}；没有接收任何内容。",
        "The dataset chosen is {expected}, but the file is {found}; nothing was taken in.",
    )
    cure = Sentence(
        "请核对文件，或改选数据集后重新上传。", "Check the file, or choose the other dataset and upload again."
    )


class ColumnTwice(FileRefused):
    """Two columns of the file mean the same field."""

    code = "sources.column_twice"
    facts = ("column",)
    what = Sentence(
        "表头中有两列都对应 {column}，无法判断以哪列为准；没有接收任何内容。",
        "Two columns mean {column}; nothing was taken in.",
    )
    cure = Sentence("请删除或改名其中一列后重新上传。", "Delete or rename one of them and upload again.")


class TooManyColumns(FileRefused):
    """A header of more columns than any register has."""

    code = "sources.too_many_columns"
    facts = ("columns", "limit")
    what = Sentence(
        "表头有 {columns} 列，超过 {limit} 列；没有接收任何内容。",
        "The header has {columns} columns, more than {limit}; nothing was taken in.",
    )
    cure = Sentence(
        "请删除数据右侧的空列，或核对分隔符后重新导出。",
        "Delete the empty columns right of the data, or check the delimiter, and export again.",
    )


class TruncatedFile(FileRefused):
    """The last line breaks off."""

    code = "sources.truncated_file"
    facts = ("line",)
    what = Sentence(
        "文件在第 {line} 行中断（最后一行不完整），可能没有传完；没有采纳任何内容。",
        "The file breaks off in line {line}: it may not have arrived whole. Nothing was taken in.",
    )
    cure = Sentence("请核对文件大小后重新导出或重新上传。", "Compare the size, then export or upload it again.")


class UnbalancedQuote(FileRefused):
    """A quoted cell never ends."""

    code = "sources.unbalanced_quote"
    facts = ("line",)
    what = Sentence(
        "第 {line} 行的双引号没有配对，之后的内容无法分列；没有采纳任何内容。",
        "A quote opened in line {line} is never closed, so what follows cannot be split. Nothing was taken in.",
    )
    cure = Sentence("请更正该行的双引号，或重新导出后上传。", "Correct the quotes in that line, or export again.")


class EndlessLine(FileRefused):
    """A line goes on beyond every measure, so the file is not divided into lines."""

    code = "sources.endless_line"
    facts = ("line",)
    what = Sentence(
        "第 {line} 行过长，文件没有正常换行；没有采纳任何内容。",
        "Line {line} does not end: the file is not divided into lines. Nothing was taken in.",
    )
    cure = Sentence("请重新导出，每条记录一行。", "Export again, one record a line.")


class MostlyBroken(FileRefused):
    """Most rows have another number of columns than the header."""

    code = "sources.mostly_broken"
    facts = ("broken", "rows")
    what = Sentence(
        "{rows} 行数据中有 {broken} 行的列数与表头不符，分隔符或版式可能有误；没有采纳任何内容。",
        "{broken} of {rows} rows have another number of columns than the header; nothing was taken in.",
    )
    cure = Sentence("请核对分隔符与表头后重新导出。", "Check delimiter and header, and export again.")


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
