from collections.abc import Callable, Mapping
from typing import ClassVar

from wanjia.kernel.errors import Refusal, Sentence


class NotVisible(Refusal):
    """The row does not exist, or lies outside the reader's area and role; both look the same."""

    code = "scope.not_visible"
    status = 404
    facts = ("kind",)
    what = Sentence(
        "没有找到这条记录，或它不在您的管辖范围内。", "There is no such record, or it lies outside your area."
    )
    cure = Sentence(
        "请核对编号；如果应当由您办理，请联系上一级管理员调整授权。",
        "Check the number; if it should be yours, ask the administrator one level up for a grant.",
    )


class NotSetUp(Refusal):
    """There is no installation where the process was told to work."""

    code = "scope.not_set_up"
    status = 500
    facts = ("home",)
    what = Sentence("{home} 中还没有安装万家，没有启动。", "Wanjia is not set up in {home}; nothing was started.")
    cure = Sentence(
        "请先执行 wanjia setup；如已安装，请核对 WANJIA_HOME 和 WANJIA_DATABASE_URL。",
        "Run `wanjia setup` first; if there is an installation, check WANJIA_HOME and WANJIA_DATABASE_URL.",
    )


class RestoreUnfinished(Refusal):
    """A restore into this home was interrupted."""

    code = "scope.restore_unfinished"
    status = 503
    facts = ("home",)
    what = Sentence(
        "数据文件夹 {home} 的恢复没有完成，系统没有启动。",
        "The restore into {home} was interrupted; nothing was started.",
    )
    cure = Sentence(
        "请再次执行同一条 wanjia restore 命令，它会从头或接着做完。",
        "Run the same wanjia restore command again; it begins anew or finishes what is left.",
    )


class ApplicationRoleMissing(Refusal):
    """The database role without rights of its own is missing and may not be made."""

    code = "scope.application_role_missing"
    status = 500
    facts = ("role",)
    what = Sentence(
        "数据库中没有角色 {role}，当前登录也无权创建它，没有启动。",
        "The database has no role {role} this login could make or use; nothing was started.",
    )
    cure = Sentence(
        "请数据库管理员执行:CREATE ROLE {role} NOLOGIN; GRANT {role} TO 本登录名;然后重新执行 wanjia setup。",
        "Let the database administrator run: CREATE ROLE {role} NOLOGIN; GRANT {role} TO this login; "
        "then run `wanjia setup` again.",
    )


_known: list[Callable[[], Mapping[str, Sentence]]] = []


def name_actions(titles: Callable[[], Mapping[str, Sentence]]) -> None:
    """`titles()` says what each permission is called; handed in by the slice that keeps the roles."""
    _known[:] = [titles]


class NotAllowed(Refusal):
    """The viewer's roles do not include this action; people are told its title, machines its code."""

    code = "scope.not_allowed"
    status = 403
    facts: ClassVar[tuple[str, ...]] = ("action",)
    what = Sentence(
        "您的岗位不能进行此操作（{action}），没有任何内容被改动。",
        "Your role may not do this ({action}); nothing was changed.",
    )
    cure = Sentence(
        "如工作需要，请联系上一级管理员开通相应岗位。",
        "If your work needs it, ask the administrator one level up for the role.",
    )

    def sentences(self, language: str) -> tuple[str, str]:
        title = _known[0]().get(str(self.values.get("action"))) if _known else None
        if title is None:
            return super().sentences(language)
        words = {**self.values, "action": title.text(language)}
        return self.what.text(language, **words), self.cure.text(language, **words)


class Unscoped(Refusal):
    """Code asked for rows without saying who is looking. A fault of the program, never of the user."""

    code = "scope.unscoped"
    status = 500
    facts = ("model",)
    what = Sentence(
        "程序试图越过权限范围读取数据，已被阻止。", "The program tried to read data without a scope and was stopped."
    )
    cure = Sentence(
        "请把出现的时间和页面告诉系统管理员。", "Tell the system administrator when and on which page this happened."
    )
