"""What the engine refuses."""

from __future__ import annotations

from wanjia.kernel.errors import Refusal, Sentence


class ExpressionRefused(Refusal):
    """Base of what the dialect does not accept; each kind says which part and what to write instead."""

    status = 422


class TooLong(ExpressionRefused):
    """The text is over the size that is parsed at all."""

    code = "engine.expression_too_long"
    facts = ("size", "limit", "unit")
    what = Sentence(
        "表达式过长：{size}（上限 {limit},{unit}）。", "The expression is too long: {size} of at most {limit} {unit}."
    )
    cure = Sentence(
        "请拆成两条规则，或把长列表写成参数。", "Split it into two rules, or make the long list a parameter."
    )


class NotAnExpression(ExpressionRefused):
    """The text does not parse as one expression."""

    code = "engine.not_an_expression"
    facts = ("problem",)
    what = Sentence("表达式无法解析：{problem}", "The expression cannot be read: {problem}")
    cure = Sentence(
        "请写一个条件，不带分号和 SELECT,例如 vehicle_status = '正常'。",
        "Write one condition without semicolon and SELECT, such as vehicle_status = '正常'.",
    )


class UnknownColumn(ExpressionRefused):
    """The expression names a column the dataset does not declare."""

    code = "engine.unknown_column"
    facts = ("column", "nearest")
    what = Sentence("没有声明列 {column}。", "There is no declared column {column}.")
    cure = Sentence("相近的列名：{nearest}。", "The nearest names are: {nearest}.")


class UnknownParameter(ExpressionRefused):
    """The expression uses a parameter the rule does not define."""

    code = "engine.unknown_parameter"
    facts = ("parameter", "nearest")
    what = Sentence("没有定义参数 :{parameter}。", "There is no parameter :{parameter}.")
    cure = Sentence(
        "请在规则的 parameters 中定义它；已有：{nearest}。", "Define it under parameters; there are: {nearest}."
    )


class ForbiddenConstruct(ExpressionRefused):
    """A function or construct outside the allow-list."""

    code = "engine.forbidden_construct"
    facts = ("construct", "part")
    what = Sentence("规则语言不允许 {construct}:{part}", "The rule language has no {construct}: {part}")
    cure = Sentence(
        "可用的写法列在 docs/reference/dialect.md;只收录在两种引擎上结果一致的函数。",
        "docs/reference/dialect.md lists what there is: only functions with equal results on both engines.",
    )


class TypesDiffer(ExpressionRefused):
    """Values of different types meet; an engine would convert them silently, each in its way."""

    code = "engine.types_differ"
    facts = ("part", "wanted", "found")
    what = Sentence(
        "类型不符：{part} 需要 {wanted}，实际为 {found}。", "Types differ: {part} needs {wanted} but has {found}."
    )
    cure = Sentence(
        "文本用单引号，日期写作 date '2015-12-31',整数不加引号。",
        "Quote text, write dates as date '2015-12-31', and integers without quotes.",
    )


class TooExpensive(Refusal):
    """The work passed its limits of time or memory and was stopped."""

    code = "engine.too_expensive"
    status = 422
    facts = ("limit",)
    what = Sentence(
        "计算超出限额（{limit}），已停止；没有写入任何内容。",
        "The computation passed its limit ({limit}) and was stopped; nothing was written.",
    )
    cure = Sentence(
        "请简化表达式或缩小数据范围；如属正常数据量，请管理员调高限额。",
        "Simplify the expression or narrow the data; for an honest amount of data have the limit raised.",
    )


class ComputationFailed(Refusal):
    """The engine reported an error of its own on checked SQL: a fault of ours or of the data."""

    code = "engine.computation_failed"
    status = 500
    facts = ("problem",)
    what = Sentence("计算引擎报错：{problem}；没有写入任何内容。", "The engine failed: {problem}; nothing was written.")
    cure = Sentence(
        "请把出现的时间和任务编号告诉系统管理员。", "Tell the system administrator the time and the job's number."
    )


class WorkbookRefused(Refusal):
    """Base of why a workbook is not read, whatever it was sent for."""

    status = 422


class WorkbookEncrypted(WorkbookRefused):
    """The workbook opens with a password only."""

    code = "engine.workbook_encrypted"
    what = Sentence(
        "这个 Excel 文件设有打开密码，无法读取；没有读入任何内容。",
        "This Excel file opens with a password only and cannot be read; nothing was taken in.",
    )
    cure = Sentence(
        "请在表格软件中打开，取消密码（文件-信息-保护工作簿）后另存上传；不要把密码告诉任何人，文件在本系统中会加密保存。",
        "Open it, remove the password (File, Info, Protect Workbook), save and upload; tell nobody the password, files "
        "are kept encrypted here.",
    )


class WorkbookOldFormat(WorkbookRefused):
    """A workbook of before 2007 (.xls, .et)."""

    code = "engine.workbook_old_format"
    what = Sentence(
        "这是旧格式的表格（.xls 或 .et），没有读入任何内容。",
        "This is a spreadsheet of the old kind (.xls or .et); nothing was taken in.",
    )
    cure = Sentence(
        "请另存为“Excel 工作簿（.xlsx）”后上传，如有打开密码请先取消；部门数据也可另存为 CSV，证件号码列须为“文本”。",
        "Save it as “Excel workbook (.xlsx)”, without a password, and upload that; departments' data may be CSV as "
        "well, the identity number column as text.",
    )


class NoWorkbook(WorkbookRefused):
    """A zip with no workbook in it."""

    code = "engine.no_workbook"
    what = Sentence(
        "这个文件里没有 Excel 工作簿（可能是压缩包或其他文档），没有读入任何内容。",
        "There is no Excel workbook in this file (an archive, or another document); nothing was taken in.",
    )
    cure = Sentence(
        "请先解压，上传其中的 Excel 工作簿（.xlsx）；部门数据也可为 CSV。",
        "Unpack it and upload the Excel workbook (.xlsx) that is in it; departments' data may be CSV as well.",
    )


class WorkbookBroken(WorkbookRefused):
    """The file begins like a workbook and is none inside, or contradicts itself."""

    code = "engine.workbook_broken"
    what = Sentence(
        "这个 Excel 文件已损坏或不完整，无法读取；没有读入任何内容。",
        "This Excel file is damaged or incomplete and cannot be read; nothing was taken in.",
    )
    cure = Sentence(
        "请用 Excel 或 WPS 打开，另存为新的“Excel 工作簿（.xlsx）”后重新上传；打不开时请重新导出。",
        "Open it in Excel or WPS, save it as a new .xlsx file and upload that; if it does not open, export it again.",
    )


class WorkbookActive(WorkbookRefused):
    """A workbook that would do more than hold a table."""

    code = "engine.workbook_active"
    facts = ("what",)
    what = Sentence(
        "这个 Excel 文件{what}，为安全起见不打开；没有读入任何内容。",
        "This Excel file has {what} and is not opened, for safety; nothing was taken in.",
    )
    cure = Sentence(
        "请把数据“选择性粘贴-数值”到新工作簿，另存为普通的 .xlsx 文件后上传。",
        "Paste the data as values into a new workbook, save it as a plain .xlsx file and upload that.",
    )


class WorkbookTooLarge(WorkbookRefused):
    """A workbook beyond every measure; most likely it was made to be."""

    code = "engine.workbook_too_large"
    facts = ("what",)
    what = Sentence(
        "这个 Excel 文件{what}，超出限度，已停止读取；没有读入任何内容。",
        "This Excel file is beyond all measure ({what}); reading was stopped and nothing was taken in.",
    )
    cure = Sentence(
        "请只保留数据表，删除多余的行、列和工作表后另存上传；部门数据确实很多时请按县拆分或导出为 CSV。",
        "Keep the table alone, delete superfluous rows, columns and sheets, save and upload; split a department's "
        "much data by county or export it as CSV.",
    )


class WorkbookTooSlow(WorkbookRefused):
    """Reading took longer than any honest workbook does."""

    code = "engine.workbook_too_slow"
    facts = ("seconds",)
    what = Sentence(
        "读取这个 Excel 文件超过 {seconds} 秒，已停止；没有读入任何内容。",
        "Reading this Excel file took more than {seconds} seconds and was stopped; nothing was taken in.",
    )
    cure = Sentence(
        "请删除多余的行、列和工作表后另存上传；部门数据可导出为 CSV 上传。",
        "Delete superfluous rows, columns and sheets, save and upload; departments' data may be exported as CSV.",
    )
