"""Do the posts exist that grants speak of?"""

from __future__ import annotations

from collections.abc import Iterator

from wanjia.accounts import content
from wanjia.accounts.models import Role
from wanjia.kernel.errors import Sentence
from wanjia.telemetry.checks import Check, Finding, fail, ok


def roles_are_loaded() -> Iterator[Finding]:
    wanted = set(content.document()["roles"])
    missing = sorted(wanted - set(Role.objects.values_list("code", flat=True)))
    if missing:
        yield fail(
            f"缺少 {len(missing)} 个岗位：{', '.join(missing)}。",
            f"{len(missing)} roles are missing: {', '.join(missing)}.",
            cure=("请执行 wanjia setup，它可以重复执行。", "Run `wanjia setup`; it is safe to run again."),
        )
    else:
        yield ok(f"{len(wanted)} 个岗位已装入。", f"{len(wanted)} roles are loaded.")


CHECKS = [Check("accounts.roles", Sentence("岗位", "Roles"), roles_are_loaded)]
