from wanjia.kernel.errors import Refusal, Sentence


class UnknownCodeList(Refusal):
    """Code asked for a list that no file defines: the reference data are not loaded, or a fault."""

    code = "reference.unknown_code_list"
    status = 500
    facts = ("name",)
    what = Sentence("没有名为 {name} 的代码表。", "There is no code list named {name}.")
    cure = Sentence("请运行 wanjia setup 装入基础代码。", "Run `wanjia setup` to load the reference data.")


class NoValue(Refusal):
    """No value of a parameter or poverty line is in force on the day and in the region."""

    code = "reference.no_value"
    status = 409
    facts = ("name", "on", "region")
    what = Sentence(
        "参数 {name} 在 {on}（地区 {region}）没有有效值，未作任何改动。",
        "The parameter {name} has no value in force on {on} (region {region}); nothing was changed.",
    )
    cure = Sentence(
        "请在“设置-参数”中补充带生效日期和依据的数值。",
        "Add a value with its first day and its source under Settings, Parameters.",
    )


class NotThatType(Refusal):
    """The value given for a parameter cannot be read as its type."""

    code = "reference.not_that_type"
    facts = ("name", "expected")
    what = Sentence(
        "参数 {name} 的数值应为{expected}，没有保存。",
        "The parameter {name} takes a value of another kind ({expected}); nothing was saved.",
    )
    cure = Sentence("请改正数值后重新提交。", "Correct the value and submit again.")


class ValueExists(Refusal):
    """There is already a value of this name and region from exactly this day."""

    code = "reference.value_exists"
    status = 409
    facts = ("name", "valid_from", "region")
    what = Sentence(
        "{name}（地区 {region}）从 {valid_from} 起已有数值，没有保存。",
        "{name} (region {region}) already has a value from {valid_from}; nothing was saved.",
    )
    cure = Sentence(
        "已公布的数值不覆盖：请另选生效日期，新值从该日起生效。",
        "Values once set are not overwritten: choose another first day, from which the new value holds.",
    )


class SourceMissing(Refusal):
    """A value of policy without the document it comes from."""

    code = "reference.source_missing"
    facts = ("name",)
    what = Sentence("{name} 没有填写依据，没有保存。", "No source was given for {name}; nothing was saved.")
    cure = Sentence("请填写文件名称和文号。", "Give the document's title and number.")


class DataFileInvalid(Refusal):
    """A reference data file of the installation does not say what it should."""

    code = "reference.data_file_invalid"
    status = 500
    facts = ("file", "problem")
    what = Sentence(
        "基础数据文件 {file} 有误：{problem}。没有装入任何内容。",
        "The reference data file {file} is wrong: {problem}. Nothing was loaded.",
    )
    cure = Sentence("请恢复程序自带的文件后重试。", "Restore the file that came with the program and try again.")
