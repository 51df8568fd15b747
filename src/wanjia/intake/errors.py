"""What is wrong with a file as a whole, each with its cure. Nothing of a refused file is kept as data."""

from __future__ import annotations

from wanjia.kernel.errors import Refusal, Sentence


class FileRefused(Refusal):
    """Base of what is wrong with a file as a whole, beside what the reading of workbooks refuses."""

    status = 422


class EmptyFile(FileRefused):
    """The file has no content, or a header and no rows."""

    code = "intake.empty_file"
    what = Sentence("文件中没有数据行，没有接收任何内容。", "The file holds no rows; nothing was taken in.")
    cure = Sentence("请核对导出条件后重新导出并上传。", "Check the export's conditions, export again and upload.")


class UnsupportedFormat(FileRefused):
    """An old workbook, an archive, a page: recognised by content, not read."""

    code = "intake.unsupported_format"
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

    code = "intake.hidden_sheet"
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

    code = "intake.unknown_unit"
    facts = ("unit",)
    what = Sentence(
        "金额单位为“{unit}”，系统只识别“元”和“万元”；没有接收任何内容。",
        "Amounts are in {unit}; only 元 and 万元 are read. Nothing was taken in.",
    )
    cure = Sentence("请换算成元后重新导出。", "Convert them to 元 and export again.")


class BinaryFile(FileRefused):
    """Not text at all."""

    code = "intake.binary_file"
    what = Sentence("文件内容不是文本，没有接收任何内容。", "The file is not text; nothing was taken in.")
    cure = Sentence("请确认选对了文件，并导出为 CSV。", "Make sure it is the right file, exported as CSV.")


class StrayByte(FileRefused):
    """Text but for a byte or two that are none: a NUL, half a character."""

    code = "intake.stray_byte"
    facts = ("line",)
    what = Sentence(
        "第 {line} 行含有不是文字的字节（如 NUL、半个汉字），没有接收任何内容。",
        "Line {line} holds bytes that are no text (a NUL, half a character); nothing was taken in.",
    )
    cure = Sentence(
        "请打开文件改正该行（在原系统中重新填写该行的内容），或重新导出后上传。",
        "Put that line right, in the system it comes from, or export the file again.",
    )


class Undecodable(FileRefused):
    """Text in no encoding known here, or damaged."""

    code = "intake.undecodable"
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

    code = "intake.unknown_layout"
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

    code = "intake.wrong_dataset"
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

    code = "intake.column_twice"
    facts = ("column",)
    what = Sentence(
        "表头中有两列都对应 {column}，无法判断以哪列为准；没有接收任何内容。",
        "Two columns mean {column}; nothing was taken in.",
    )
    cure = Sentence("请删除或改名其中一列后重新上传。", "Delete or rename one of them and upload again.")


class TooManyColumns(FileRefused):
    """A header of more columns than any register has."""

    code = "intake.too_many_columns"
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

    code = "intake.truncated_file"
    facts = ("line",)
    what = Sentence(
        "文件在第 {line} 行中断（最后一行不完整），可能没有传完；没有采纳任何内容。",
        "The file breaks off in line {line}: it may not have arrived whole. Nothing was taken in.",
    )
    cure = Sentence("请核对文件大小后重新导出或重新上传。", "Compare the size, then export or upload it again.")


class UnbalancedQuote(FileRefused):
    """A quoted cell never ends."""

    code = "intake.unbalanced_quote"
    facts = ("line",)
    what = Sentence(
        "第 {line} 行的双引号没有配对，之后的内容无法分列；没有采纳任何内容。",
        "A quote opened in line {line} is never closed, so what follows cannot be split. Nothing was taken in.",
    )
    cure = Sentence("请更正该行的双引号，或重新导出后上传。", "Correct the quotes in that line, or export again.")


class EndlessLine(FileRefused):
    """A line goes on beyond every measure, so the file is not divided into lines."""

    code = "intake.endless_line"
    facts = ("line",)
    what = Sentence(
        "第 {line} 行过长，文件没有正常换行；没有采纳任何内容。",
        "Line {line} does not end: the file is not divided into lines. Nothing was taken in.",
    )
    cure = Sentence("请重新导出，每条记录一行。", "Export again, one record a line.")


class MostlyBroken(FileRefused):
    """Most rows have another number of columns than the header."""

    code = "intake.mostly_broken"
    facts = ("broken", "rows")
    what = Sentence(
        "{rows} 行数据中有 {broken} 行的列数与表头不符，分隔符或版式可能有误；没有采纳任何内容。",
        "{broken} of {rows} rows have another number of columns than the header; nothing was taken in.",
    )
    cure = Sentence("请核对分隔符与表头后重新导出。", "Check delimiter and header, and export again.")
