from wanjia.audit.acts import Act
from wanjia.kernel.errors import Sentence

ACTS = [
    Act("accounts.load_roles", Sentence("装入了 {roles} 个岗位的权限表", "loaded the permissions of {roles} roles")),
    Act(
        "accounts.open",
        Sentence("开设了 {accounts} 个账号，授予 {grants} 个岗位", "opened {accounts} accounts with {grants} roles"),
    ),
    Act("accounts.grant", Sentence("在 {area} 授予岗位 {role}", "granted the role {role} in {area}")),
    Act("accounts.revoke", Sentence("收回了在 {area} 的岗位 {role}", "revoked the role {role} in {area}")),
    Act(
        "accounts.name_deputy",
        Sentence("指定代理人至 {last_day}：{reason}", "named a deputy until {last_day}: {reason}"),
    ),
    Act("accounts.end_deputy", Sentence("结束代理", "ended a deputyship")),
    Act("accounts.lock", Sentence("停用了账号：{reason}", "locked the account: {reason}")),
    Act("accounts.unlock", Sentence("恢复了账号", "unlocked the account")),
    Act("accounts.set_password", Sentence("重置了密码", "reset the password")),
    Act("accounts.change_password", Sentence("更改了自己的密码", "changed the own password")),
]
