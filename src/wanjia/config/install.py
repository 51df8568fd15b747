"""Making an installation: keys, tables, code lists, divisions, roles. Safe to run again."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from django.conf import settings
from django.core.management import call_command

from wanjia.accounts.services import load_roles
from wanjia.casework import counters
from wanjia.divisions.services import load_divisions
from wanjia.reference.services import load_reference
from wanjia.scope.keys import bind_keys, create_missing_keys
from wanjia.scope.reach import serving
from wanjia.scope.system import system_viewer


def prepare(say: Callable[[str], None] = lambda _: None) -> None:
    """Bring the installation under WANJIA_HOME up to date."""
    home = Path(settings.WANJIA_HOME)
    home.mkdir(mode=0o700, parents=True, exist_ok=True)  # nobody else's business
    say("数据表 tables")
    call_command("migrate", verbosity=0, interactive=False, skip_checks=True)  # the checks ask for keys
    with serving(system_viewer("config.prepare")):
        _fill(say)


def _fill(say: Callable[[str], None]) -> None:
    say("密钥 keys")
    create_missing_keys()
    bind_keys()
    say("基础代码 code lists")
    load_reference()
    say("行政区划 divisions")
    load_divisions()
    say("岗位 roles")
    load_roles()
    say("核查件计数 counters")
    counters.recount()
