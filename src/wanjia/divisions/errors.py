from wanjia.kernel.errors import Refusal, Sentence

_NOTHING_LOADED = Sentence(
    "请按说明修改文件后重新装入；原有区划没有变动。",
    "Correct the file as described and load it again; the divisions in use were not touched.",
)


class DivisionFileRefused(Refusal):
    """A division file cannot be used. Subclasses say why."""

    cure = _NOTHING_LOADED


class NotADivisionFile(DivisionFileRefused):
    """The file is missing, empty, or neither UTF-8 nor GB18030 text."""

    code = "divisions.not_a_division_file"
    facts = ("file",)
    what = Sentence(
        "区划文件 {file} 不存在、为空，或不是 UTF-8/GB18030 文本。",
        "The division file {file} is missing, empty, or neither UTF-8 nor GB18030 text.",
    )


class BadDivisionHeader(DivisionFileRefused):
    """The first line does not name the columns code, name, level, parent."""

    code = "divisions.bad_header"
    facts = ("found", "expected")
    what = Sentence(
        "区划文件第 1 行应为“{expected}”，实际为“{found}”。",
        "Line 1 of the division file should read “{expected}” but reads “{found}”.",
    )


class BadDivisionRow(DivisionFileRefused):
    """A line has too few values, or no name."""

    code = "divisions.bad_row"
    facts = ("line",)
    what = Sentence("区划文件第 {line} 行缺少代码或名称。", "Line {line} of the division file lacks a code or a name.")


class BadDivisionCode(DivisionFileRefused):
    """A code is not a digit string of natural length (or padded to 12)."""

    code = "divisions.bad_code"
    facts = ("line", "value")
    what = Sentence(
        "区划文件第 {line} 行的代码“{value}”不是 2、4、6、9、12 位数字（可用 0 补足到 12 位）。",
        "Line {line} of the division file: “{value}” is not a code of 2, 4, 6, 9 or 12 digits (or padded to 12).",
    )


class LevelContradictsCode(DivisionFileRefused):
    """The level or parent written beside a code is not the one its digits say."""

    code = "divisions.level_contradicts_code"
    facts = ("line", "value", "written", "expected")
    what = Sentence(
        "区划文件第 {line} 行：代码 {value} 的级别或上级应为“{expected}”，文件写的是“{written}”。",
        "Line {line} of the division file: the level or parent of {value} should be “{expected}”, not “{written}”.",
    )


class DuplicateDivision(DivisionFileRefused):
    """One code stands on two lines."""

    code = "divisions.duplicate"
    facts = ("line", "value", "first_line")
    what = Sentence(
        "区划文件第 {line} 行的代码 {value} 与第 {first_line} 行重复。",
        "Line {line} of the division file repeats the code {value} of line {first_line}.",
    )


class OrphanDivision(DivisionFileRefused):
    """A division's parent is not in the file."""

    code = "divisions.orphan"
    facts = ("line", "value", "parent")
    what = Sentence(
        "区划文件第 {line} 行的 {value} 没有上级：文件中找不到 {parent}。",
        "Line {line} of the division file: {value} has no parent; {parent} is not in the file.",
    )


class DivisionFileIncomplete(DivisionFileRefused):
    """Loading would close so many divisions that the file is more likely a part than a new edition."""

    code = "divisions.file_incomplete"
    status = 409
    facts = ("missing", "known")
    what = Sentence(
        "区划文件缺少现有 {known} 个区划中的 {missing} 个，可能只是一部分。",
        "The division file lacks {missing} of the {known} divisions in use; it is probably only a part.",
    )
    cure = Sentence(
        "请使用全省（区）完整文件；原有区划没有变动。",
        "Use a file of the whole province; the divisions in use were not touched.",
    )


class PlaceNotResolved(Refusal):
    """Names of places that could not be turned into a code. Subclasses say why."""


class PlaceUnknown(PlaceNotResolved):
    """No division has this name."""

    code = "divisions.place_unknown"
    status = 422
    facts = ("name", "within", "candidates")
    what = Sentence("在{within}没有找到“{name}”。", "There is no “{name}” in {within}.")
    cure = Sentence("请核对名称；相近的有：{candidates}。", "Check the name; similar ones: {candidates}.")


class PlaceAmbiguous(PlaceNotResolved):
    """Several divisions have this name."""

    code = "divisions.place_ambiguous"
    status = 422
    facts = ("name", "within", "candidates")
    what = Sentence("在{within}有多个“{name}”。", "There are several places named “{name}” in {within}.")
    cure = Sentence(
        "请写全称或补充上级区划，可能是：{candidates}。",
        "Give the full name or the division above it; it may be: {candidates}.",
    )


class PlaceElsewhere(PlaceNotResolved):
    """A division has this name, but under another parent than the one given."""

    code = "divisions.place_elsewhere"
    status = 422
    facts = ("name", "within", "candidates")
    what = Sentence("“{name}”不在{within}。", "“{name}” does not lie in {within}.")
    cure = Sentence(
        "请核对上级区划；同名的有：{candidates}。", "Check the division above it; places of that name: {candidates}."
    )


class PlaceMissing(PlaceNotResolved):
    """No name was given at all."""

    code = "divisions.place_missing"
    status = 422
    what = Sentence("没有填写任何行政区划名称。", "No division was named.")
    cure = Sentence("请至少填写县和乡镇。", "Give at least the county and the township.")
