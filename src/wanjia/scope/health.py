"""Keys and lake."""

from __future__ import annotations

import stat
from collections.abc import Iterator
from pathlib import Path

from django.conf import settings
from django.db import connection

from wanjia.kernel.errors import Refusal, Sentence
from wanjia.lake import Lake
from wanjia.protection.keys import FIELD, PERSON, Keyring
from wanjia.scope import keys
from wanjia.scope.postgresql.ownership import APPLICATION_ROLE, as_owner
from wanjia.scope.stores import lake
from wanjia.telemetry.checks import Check, Finding, fail, ok, refused, warn

VERIFIED = 5  # datasets read byte by byte, the newest
LARGEST_VERIFIED = 256 * 1024 * 1024  # bytes of one of them
MOST_NAMED = 3


def key_files_are_in_order() -> Iterator[Finding]:
    """Present, well formed, private, owned by whoever owns the installation, kept apart from the data."""
    folder = keys.folder()
    if not folder.is_dir():
        yield fail(
            f"没有密钥目录 {folder}。",
            f"There is no folder of keys {folder}.",
            cure=(
                "新安装请执行 wanjia setup；已有数据时请从密钥备份恢复，切勿新建。",
                "For a new installation run `wanjia setup`; where there are data, restore the keys from their copy.",
            ),
        )
        return
    try:
        Keyring.open(folder)
    except Refusal as refusal:
        yield refused(refusal)
        return
    except PermissionError:
        yield fail(
            f"当前用户不能读取 {folder} 中的密钥。",
            f"This user may not read the keys in {folder}.",
            cure=("请用运行万家的用户执行 wanjia doctor。", "Run `wanjia doctor` as the user Wanjia runs as."),
        )
        return
    yield from _owned(folder)
    yield from _apart(folder)
    yield ok(
        "密钥文件齐全，格式正确，仅属主可读。",
        "The key files are there, well formed, and readable by their owner only.",
    )


def _owned(folder: Path) -> Iterator[Finding]:
    owner = Path(settings.WANJIA_HOME).stat().st_uid
    for path in (folder, folder / PERSON, folder / FIELD):
        found = path.stat()
        if found.st_uid != owner:
            yield fail(
                f"{path} 的属主是 {found.st_uid}，安装目录的属主是 {owner}。",
                f"{path} belongs to user {found.st_uid}, the installation to {owner}.",
                cure=(f"请执行 chown {owner} {path}。", f"Run chown {owner} {path}."),
            )
    mode = stat.S_IMODE(folder.stat().st_mode)
    if mode & 0o022:
        yield fail(
            f"密钥目录 {folder} 的权限为 {mode:04o}，他人可以替换密钥。",
            f"The key folder {folder} has mode {mode:04o}: others can put another key in its place.",
            cure=(f"请执行 chmod 700 {folder}。", f"Run chmod 700 {folder}."),
        )


def _apart(folder: Path) -> Iterator[Finding]:
    """Whoever copies the data must not get the keys with it."""
    home = Path(settings.WANJIA_HOME)
    for place in (lake().root, home / "files", home / "backup", home / "backups"):
        inside = folder.resolve().is_relative_to(place.resolve())
        copies = [path for name in (PERSON, FIELD) for path in place.rglob(name)] if place.is_dir() else []
        if inside or copies:
            what = folder if inside else copies[0]
            yield fail(
                f"密钥 {what} 与数据存放在一起（{place}）：拿到数据备份的人就能解密。",
                f"The key {what} lies with the data ({place}): whoever gets a copy of the data can read it.",
                cure=(
                    "请把密钥移到数据目录之外，并检查已有备份。",
                    "Move it out of there, and look at the backups made so far.",
                ),
            )


def keys_belong_to_the_database() -> Iterator[Finding]:
    try:
        keys.require_keys_on_disk()
    except Refusal as refusal:
        yield refused(refusal)
    else:
        yield ok("密钥属于这个数据库。", "The keys belong to this database.")


def lake_is_whole() -> Iterator[Finding]:
    """Every file a manifest names is there with its size; the newest datasets are read byte by byte."""
    store = lake()
    if not store.root.is_dir():
        yield ok("数据湖尚未使用。", "The lake is not in use yet.")
        return
    addresses = store.list()
    wrong = [address for address in addresses if not _looks_whole(store, address)]
    small = [it for it in addresses if it not in wrong and store.read_manifest(it).bytes <= LARGEST_VERIFIED]
    for address in sorted(small, key=lambda it: store.read_manifest(it).made_at)[-VERIFIED:]:
        try:
            store.verify(address)
        except Refusal:
            wrong.append(address)
    if wrong:
        named = ", ".join(wrong[:MOST_NAMED]) + (" …" if len(wrong) > MOST_NAMED else "")
        yield fail(
            f"数据湖中有 {len(wrong)} 个数据集缺文件或已损坏：{named}。",
            f"{len(wrong)} datasets of the lake lack files or are damaged: {named}.",
            cure=(
                "请从备份恢复这些目录；部门批次也可以请部门重新报送。",
                "Restore these folders from the backup; a department's batch can also be delivered again.",
            ),
        )
    else:
        yield ok(f"数据湖 {len(addresses)} 个数据集完整。", f"{len(addresses)} datasets of the lake are whole.")


def _looks_whole(store: Lake, address: str) -> bool:
    try:
        files = store.read_manifest(address).files
        return all((store.root / address / name).stat().st_size == entry.bytes for name, entry in files.items())
    except (Refusal, OSError, ValueError, KeyError, TypeError):
        return False


def nothing_is_left_staged() -> Iterator[Finding]:
    left = lake().strays()
    if left:
        yield warn(
            f"数据湖中有 {len(left)} 个写到一半的目录，写入者已中断。",
            f"{len(left)} half-written folders are left in the lake by writers that stopped.",
            cure=(
                "后台程序每小时清理一次；请确认 wanjia worker 在运行。",
                "The worker clears them every hour: see that `wanjia worker` runs.",
            ),
        )
    else:
        yield ok("数据湖没有遗留的半成品。", "Nothing half-written is left in the lake.")


def row_security_holds() -> Iterator[Finding]:
    """Where the second lock is installed, the site must not connect as somebody it does not bind."""
    if connection.vendor != "postgresql":
        return
    with as_owner(), connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM pg_roles WHERE rolname = %s", [APPLICATION_ROLE])
        (there,) = cursor.fetchone()
    if not there:
        yield fail(
            f"数据库中没有应用角色 {APPLICATION_ROLE}，网站和后台程序无法工作。",
            f"The database has no application role {APPLICATION_ROLE}: site and worker cannot work.",
            cure=(
                "请执行 wanjia setup；登录角色无权建角色时，按 docs/how-to/production.md 由管理员建立。",
                "Run `wanjia setup`; where it may not make roles, see docs/how-to/production.md.",
            ),
        )
        return
    with connection.cursor() as cursor:
        cursor.execute("SELECT rolsuper, rolbypassrls, current_user FROM pg_roles WHERE rolname = current_user")
        is_super, bypasses, role = cursor.fetchone()
        cursor.execute(
            "SELECT count(*), count(*) FILTER (WHERE relowner = current_user::regrole AND NOT relforcerowsecurity)"
            " FROM pg_class WHERE relrowsecurity AND relkind IN ('r', 'p')"
        )
        tables, owned = cursor.fetchone()
    cure = (
        "请为网站和后台程序另建一个不拥有数据表、不是超级用户的数据库角色，写入 WANJIA_DATABASE_URL。",
        "Let site and worker connect as a role that owns no table and is no superuser (WANJIA_DATABASE_URL).",
    )
    if tables and (is_super or bypasses or owned):
        yield fail(
            f"已启用行级安全，但角色 {role} 不受其约束。",
            f"Row-level security is installed, and the role {role} is not bound by it.",
            cure=cure,
        )
    elif is_super:
        yield warn(f"数据库角色 {role} 是超级用户。", f"The database role {role} is a superuser.", cure=cure)
    elif tables:
        yield ok(
            f"{tables} 张表的行级安全对角色 {role} 有效。",
            f"Row-level security of {tables} tables binds the role {role}.",
        )
    else:
        yield ok(f"数据库角色 {role} 不是超级用户。", f"The database role {role} is no superuser.")


CHECKS = [
    Check("keys.files", Sentence("密钥文件", "Key files"), key_files_are_in_order, needs_database=False),
    Check("keys.database", Sentence("密钥与数据库", "Keys and database"), keys_belong_to_the_database),
    Check("database.role", Sentence("数据库角色", "Database role"), row_security_holds),
    Check("lake.whole", Sentence("数据湖", "Lake"), lake_is_whole, needs_database=False),
    Check("lake.staged", Sentence("数据湖半成品", "Left in the lake"), nothing_is_left_staged, needs_database=False),
]
