from wanjia.kernel.errors import Refusal, Sentence

_NOTHING_ZH, _NOTHING_EN = "没有任何内容被改动。", "Nothing was changed."


class AccountTaken(Refusal):
    """The login name is in use, or the person has an account already."""

    code = "accounts.account_taken"
    status = 409
    facts = ("username",)
    what = Sentence(
        "登录名 {username} 已被使用，或此人已有账号。" + _NOTHING_ZH,
        "The login {username} is taken, or this person has an account already. " + _NOTHING_EN,
    )
    cure = Sentence(
        "一人一号：请先查找已有账号；确为不同的人，请换一个登录名。",
        "One person, one account: look for the one there is; for another person choose another login.",
    )


class BadUsername(Refusal):
    """A login name is 3 to 60 small letters, digits, dots and hyphens, and nobody's identity number or telephone."""

    code = "accounts.bad_username"
    facts = ("username",)
    what = Sentence("登录名“{username}”不符合要求。" + _NOTHING_ZH, "“{username}” cannot be a login. " + _NOTHING_EN)
    cure = Sentence(
        "请用 3 到 60 个小写字母、数字、点或连字符，以字母或数字开头；不要用证件号码或手机号。",
        "Use 3 to 60 small letters, digits, dots or hyphens, beginning with a letter or digit; no identity number, "
        "no telephone.",
    )


class WeakPassword(Refusal):
    """The password does not meet the rules."""

    code = "accounts.weak_password"
    facts = ("problems",)
    what = Sentence("密码不符合要求：{problems} " + _NOTHING_ZH, "The password will not do: {problems} " + _NOTHING_EN)
    cure = Sentence(
        "请用 10 位以上、含字母和数字、没有用过的密码。",
        "Use ten characters or more with letters and digits that you have not used before.",
    )


class WrongPassword(Refusal):
    """The present password was not typed correctly."""

    code = "accounts.wrong_password"
    what = Sentence("当前密码不正确，密码没有更改。", "The present password is wrong; it was not changed.")
    cure = Sentence(
        "请重新输入当前密码；忘记密码请联系管理员重置。",
        "Type the present password again; if it is forgotten, ask your administrator to reset it.",
    )


class UnknownRole(Refusal):
    """No role has this code."""

    code = "accounts.unknown_role"
    facts = ("role",)
    what = Sentence("没有名为 {role} 的岗位。" + _NOTHING_ZH, "There is no role {role}. " + _NOTHING_EN)
    cure = Sentence("请从岗位列表中选择。", "Choose one from the list of roles.")


class WrongLevel(Refusal):
    """The role is not granted for areas of this level."""

    code = "accounts.wrong_level"
    facts = ("role", "area", "levels")
    what = Sentence(
        "岗位 {role} 不能授予区划 {area}（只能授予 {levels} 级）。" + _NOTHING_ZH,
        "The role {role} is not granted for {area} (only at level {levels}). " + _NOTHING_EN,
    )
    cure = Sentence("请选择相应级别的行政区划。", "Choose an area of such a level.")


class WiderThanYours(Refusal):
    """Nobody grants wider than his own area, nor a role he may not give."""

    code = "accounts.wider_than_yours"
    status = 403
    facts = ("role", "area")
    what = Sentence(
        "您不能在 {area} 授予或收回岗位 {role}。" + _NOTHING_ZH,
        "You may not give or take the role {role} in {area}. " + _NOTHING_EN,
    )
    cure = Sentence("请联系上一级安全管理员办理。", "Ask the security administrator one level up.")


class NotToYourself(Refusal):
    """Nobody changes his own grants or locks his own account."""

    code = "accounts.not_to_yourself"
    status = 403
    what = Sentence(
        "不能更改自己的授权或账号状态。" + _NOTHING_ZH, "You may not change your own grants or account. " + _NOTHING_EN
    )
    cure = Sentence("请由另一位管理员办理。", "Ask another administrator.")


class DutiesSeparated(Refusal):
    """An account with one of the three administration duties holds nothing else."""

    code = "accounts.duties_separated"
    status = 409
    facts = ("role", "held")
    what = Sentence(
        "此账号已任 {held}，不能再任 {role}：系统、安全、审计管理员必须由三人分任，且不兼业务岗位。" + _NOTHING_ZH,
        "This account holds {held} and may not hold {role} as well: the system, security and audit administrators are "
        "three persons and hold no other post. " + _NOTHING_EN,
    )
    cure = Sentence("请授予另一人，或先收回原有岗位。", "Grant it to somebody else, or revoke the other role first.")


class DepartmentMissing(Refusal):
    """A grant for one's own department names the department; any other names none."""

    code = "accounts.department_missing"
    facts = ("role",)
    what = Sentence(
        "岗位 {role} 的部门填写不正确：仅限“本部门”的授权须填写部门，其他授权不填。" + _NOTHING_ZH,
        "A grant of {role} for one's own department names it, and no other grant does. " + _NOTHING_EN,
    )
    cure = Sentence("请核对部门一栏。", "Check the department.")


class BadPeriod(Refusal):
    """A grant ends after it begins."""

    code = "accounts.bad_period"
    facts = ("valid_from", "valid_to")
    what = Sentence(
        "授权期限不正确：从 {valid_from} 到 {valid_to}。" + _NOTHING_ZH,
        "A grant cannot run from {valid_from} to {valid_to}. " + _NOTHING_EN,
    )
    cure = Sentence("结束日期须晚于开始日期，且不早于今天。", "It must end after it begins, and not before today.")


class GrantExists(Refusal):
    """The account holds this role for this area already."""

    code = "accounts.grant_exists"
    status = 409
    facts = ("role", "area")
    what = Sentence(
        "此账号已在 {area} 持有岗位 {role}。" + _NOTHING_ZH,
        "The account already holds {role} in {area}. " + _NOTHING_EN,
    )
    cure = Sentence(
        "无需重复授权；需要更改期限时，请先收回再授予。",
        "Nothing needs doing; to change the period, revoke it and grant it again.",
    )


class SearchForgotten(Refusal):
    """The address names a search that the session does not remember: it is another's, or too long ago."""

    code = "accounts.search_forgotten"
    status = 410
    facts = ()
    what = Sentence(
        "这次查询输入的内容已不再保留（换了登录或时间较久）。" + _NOTHING_ZH,
        "What was typed for this search is no longer kept (another sign-in, or too long ago). " + _NOTHING_EN,
    )
    cure = Sentence("请重新输入要查询的内容。", "Type what you are looking for again.")


class FilterNameTaken(Refusal):
    """This person has a filter of this name for this list already."""

    code = "accounts.filter_name_taken"
    status = 409
    facts = ("name",)
    what = Sentence(
        "您已有名为“{name}”的常用筛选。" + _NOTHING_ZH, "You have a saved filter “{name}” already. " + _NOTHING_EN
    )
    cure = Sentence("请换一个名称，或先删除原有的。", "Choose another name, or remove the earlier one first.")


class TooManyFilters(Refusal):
    """One person keeps a limited number of filters."""

    code = "accounts.too_many_filters"
    status = 409
    facts = ("most",)
    what = Sentence(
        "常用筛选最多保存 {most} 个，您已存满。" + _NOTHING_ZH,
        "One person saves {most} filters at most, and you have as many. " + _NOTHING_EN,
    )
    cure = Sentence("请先在“常用筛选”中删除不用的。", "Remove those you no longer use under “Saved filters” first.")


class FilterTooLong(Refusal):
    """The address of the list is longer than a saved filter may be."""

    code = "accounts.filter_too_long"
    facts = ("most",)
    what = Sentence(
        "筛选条件过长（超过 {most} 个字符），没有保存。",
        "The filter is longer than {most} characters and was not saved.",
    )
    cure = Sentence("请减少筛选条件后再保存。", "Narrow the list by fewer conditions and save again.")


class GrantEnded(Refusal):
    """The grant has ended before."""

    code = "accounts.grant_ended"
    status = 409
    facts = ("on",)
    what = Sentence("该授权已于 {on} 结束。" + _NOTHING_ZH, "The grant ended on {on}. " + _NOTHING_EN)
    cure = Sentence(
        "无需再次收回；刷新页面即可看到最新情况。", "Nothing needs doing; reload the page to see how it stands."
    )


class RolesMalformed(Refusal):
    """roles.yaml says something that cannot be."""

    code = "accounts.roles_malformed"
    status = 500
    facts = ("role", "problem")
    what = Sentence(
        "岗位文件 roles.yaml 中 {role} 有误：{problem}。" + _NOTHING_ZH,
        "roles.yaml is wrong about {role}: {problem}. " + _NOTHING_EN,
    )
    cure = Sentence("请改正文件后重新装入。", "Correct the file and load it again.")


class NotOfYourOffice(Refusal):
    """A deputy must have a post at the very office of whom he stands in for."""

    code = "accounts.not_of_your_office"
    status = 422
    facts = ("area",)
    what = Sentence(
        "代理人须是您在 {area} 同一单位、有岗位的同事。" + _NOTHING_ZH,
        "A deputy must be a colleague with a post at your own office in {area}. " + _NOTHING_EN,
    )
    cure = Sentence("请核对姓名；有同名的请填登录名。", "Check the name; where two have the same, give the login.")


class DeputyExists(Refusal):
    """Somebody stands in for this person on some of these days already."""

    code = "accounts.deputy_exists"
    status = 409
    facts = ("area",)
    what = Sentence(
        "这段时间在 {area} 已指定了代理人。" + _NOTHING_ZH,
        "Somebody stands in for you in {area} on some of these days already. " + _NOTHING_EN,
    )
    cure = Sentence("请先结束原来的代理，或改选日期。", "End the other deputyship first, or choose other days.")


class DeputyEnded(Refusal):
    """The deputyship is over."""

    code = "accounts.deputy_ended"
    status = 409
    facts = ("on",)
    what = Sentence("这项代理已于 {on} 结束。", "This deputyship ended on {on}.")
    cure = Sentence("不需要再办理。", "There is nothing left to do.")


class DeputyPeriodUnusable(Refusal):
    """The days a colleague is to stand in are past, the wrong way round, or too many."""

    code = "accounts.deputy_period"
    status = 422
    facts = ("valid_from", "last_day", "most")
    what = Sentence(
        "代理期限不可用：从 {valid_from} 到 {last_day}。" + _NOTHING_ZH,
        "A deputyship cannot run from {valid_from} to {last_day}. " + _NOTHING_EN,
    )
    cure = Sentence(
        "开始日期不早于今天，最后一天不早于开始日期，一次最多 {most} 天。",
        "It begins today or later, ends no earlier than it begins, and lasts {most} days at most.",
    )
