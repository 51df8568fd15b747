"""What is wrong with a rule file: which file, which key, and how to write it."""

from __future__ import annotations

from wanjia.kernel.errors import Refusal, Sentence


class RuleFileRefused(Refusal):
    """Base of what can be wrong with a rule file; nothing of the file is used."""

    status = 422


class NotARuleFile(RuleFileRefused):
    """The file is not YAML, or not a mapping of keys."""

    code = "ruleset.not_a_rule_file"
    facts = ("file", "problem")
    what = Sentence("规则文件 {file} 无法读取：{problem}", "The rule file {file} cannot be read: {problem}")
    cure = Sentence(
        "规则文件是 UTF-8 的 YAML,写法见 docs/reference/rule-files.md。",
        "A rule file is YAML in UTF-8; docs/reference/rule-files.md shows how to write one.",
    )


class UnknownKey(RuleFileRefused):
    """A key nobody reads is a typing error, or a wish."""

    code = "ruleset.unknown_key"
    facts = ("file", "key", "nearest")
    what = Sentence("{file}：不认识的键 {key}。", "{file}: unknown key {key}.")
    cure = Sentence("相近的键：{nearest}。", "The nearest keys are: {nearest}.")


class MissingKey(RuleFileRefused):
    """A key every rule needs is not there."""

    code = "ruleset.missing_key"
    facts = ("file", "key")
    what = Sentence("{file}：缺少 {key}。", "{file}: {key} is missing.")
    cure = Sentence(
        "请补上；含义见 docs/reference/rule-files.md。", "Add it; docs/reference/rule-files.md tells its meaning."
    )


class WrongValue(RuleFileRefused):
    """A key holds something of another kind."""

    code = "ruleset.wrong_value"
    facts = ("file", "key", "wanted", "found")
    what = Sentence("{file}:{key} 应为 {wanted}，实际为 {found}。", "{file}: {key} must be {wanted} but is {found}.")
    cure = Sentence(
        "请更正；代码和编号要加引号，日期写作 2015-12-31。",
        "Correct it; quote codes and numbers of things, write days as 2015-12-31.",
    )


class UnknownDataset(RuleFileRefused):
    """The rule reads a dataset no column file declares."""

    code = "ruleset.unknown_dataset"
    facts = ("file", "dataset", "nearest")
    what = Sentence("{file}：没有声明数据集 {dataset}。", "{file}: the dataset {dataset} is not declared.")
    cure = Sentence("相近的数据集：{nearest}。", "The nearest datasets are: {nearest}.")


class BadExpression(RuleFileRefused):
    """An expression of the file does not pass the rule language."""

    code = "ruleset.bad_expression"
    facts = ("file", "key", "reason", "problem", "hint")
    what = Sentence(
        "{file}:{key} 不符合规则语言（{reason}）：{problem}",
        "{file}: {key} is not in the rule language ({reason}): {problem}",
    )
    cure = Sentence("{hint}", "{hint}")


class UnknownEvidence(RuleFileRefused):
    """Evidence or a sentence names something the record does not show."""

    code = "ruleset.unknown_evidence"
    facts = ("file", "key", "name", "nearest")
    what = Sentence("{file}:{key} 中的 {name} 不可用。", "{file}: {name} cannot be used in {key}.")
    cure = Sentence("可用：{nearest}。", "There are: {nearest}.")


class FixturesTooFew(RuleFileRefused):
    """A rule shows at least one case that must fire and one that must not."""

    code = "ruleset.fixtures_too_few"
    facts = ("file", "firing", "silent")
    what = Sentence(
        "{file}：样例不足（应触发 {firing} 个，不应触发 {silent} 个）。",
        "{file}: too few fixtures ({firing} that fire, {silent} that do not).",
    )
    cure = Sentence("两种样例各写至少一个，并写明理由。", "Write at least one of each, and say why.")


class FixtureDisagrees(RuleFileRefused):
    """The rule does something else than its own fixture says."""

    code = "ruleset.fixture_disagrees"
    facts = ("file", "fixtures")
    what = Sentence(
        "{file}：规则与样例不一致：{fixtures}。", "{file}: the rule disagrees with its fixtures: {fixtures}."
    )
    cure = Sentence("请更正条件或样例，两者必须一致。", "Correct the condition or the fixture; they must agree.")


class DuplicateRule(RuleFileRefused):
    """Two files claim one rule id."""

    code = "ruleset.duplicate_rule"
    facts = ("file", "rule", "other")
    what = Sentence("{file}：规则编号 {rule} 已在 {other} 中使用。", "{file}: the rule id {rule} is used by {other}.")
    cure = Sentence(
        "请换一个编号；编号停用后也不再使用。", "Take another id; ids are not used again even when retired."
    )


class ParameterNotInForce(RuleFileRefused):
    """No value of a parameter is valid for the region on the day of the run."""

    code = "ruleset.parameter_not_in_force"
    facts = ("rule", "parameter", "region", "on")
    what = Sentence(
        "规则 {rule} 的参数 {parameter} 在 {region} 于 {on} 没有有效值。",
        "The parameter {parameter} of {rule} has no value in force in {region} on {on}.",
    )
    cure = Sentence(
        "请在规则文件中补充该地区、该时期的取值和依据。",
        "Add a value for that region and time to the rule file, with its source.",
    )
