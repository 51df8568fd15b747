from wanjia.kernel.errors import Refusal, Sentence

_NOTHING_WRITTEN = "没有写入任何备份。"


class TargetInUse(Refusal):
    """A backup is written into a folder of its own."""

    code = "backup.target_in_use"
    status = 409
    facts = ("folder",)
    what = Sentence(
        "文件夹 {folder} 不是空的，" + _NOTHING_WRITTEN, "The folder {folder} is not empty; no backup was written."
    )
    cure = Sentence(
        "请给每次备份一个新文件夹，例如以日期命名；已有的备份不会被覆盖。",
        "Give each backup a new folder, named by its date for example; a backup is never overwritten.",
    )


class TargetBusy(Refusal):
    """Another process is writing a backup into the same folder."""

    code = "backup.target_busy"
    status = 409
    facts = ("folder",)
    what = Sentence(
        "另一个备份正在写入 {folder}，这次没有开始。",
        "Another backup is being written to {folder}; this one did not begin.",
    )
    cure = Sentence("请等它结束，或换一个文件夹。", "Wait for it to end, or name another folder.")


class TargetInsideHome(Refusal):
    """A backup inside what it saves is lost together with it, and would lie beside the keys."""

    code = "backup.target_inside_home"
    status = 409
    facts = ("folder", "home")
    what = Sentence(
        "{folder} 与数据文件夹 {home} 相互包含，" + _NOTHING_WRITTEN,
        "{folder} and the installation's home {home} contain one another; no backup was written.",
    )
    cure = Sentence(
        "请选择 {home} 以外、最好是另一块磁盘上的文件夹。",
        "Name a folder outside {home}, best on another disk.",
    )


class KeysBesideData(Refusal):
    """Whoever holds keys and data together can read everything."""

    code = "backup.keys_beside_data"
    status = 409
    facts = ("folder", "target")
    what = Sentence(
        "密钥文件夹 {folder} 与备份 {target} 或数据文件夹在一起，" + _NOTHING_WRITTEN,
        "The folder for keys {folder} lies together with the backup {target} or the home; nothing was written.",
    )
    cure = Sentence(
        "请为 --keys 指定另一个介质上的文件夹，密钥与数据分开保管。",
        "Name a folder on another medium for --keys; keys and data are kept apart.",
    )


class OtherKeysThere(Refusal):
    """A copy of keys is never overwritten with others."""

    code = "backup.other_keys_there"
    status = 409
    facts = ("folder",)
    what = Sentence(
        "{folder} 中已有另一套密钥，没有覆盖，" + _NOTHING_WRITTEN,
        "{folder} holds other keys already; they were not overwritten and no backup was written.",
    )
    cure = Sentence("请为 --keys 指定一个新文件夹。", "Name a new folder for --keys.")


class NotMigrated(Refusal):
    """The program expects other tables than the database has."""

    code = "backup.not_migrated"
    status = 409
    facts = ("migrations",)
    what = Sentence(
        "数据库还没有升级到本程序的版本（{migrations}），" + _NOTHING_WRITTEN,
        "The database is not at this program's version yet ({migrations}); no backup was written.",
    )
    cure = Sentence(
        "请先用原版本程序备份，再执行 wanjia setup 升级。",
        "Back up with the program it was made by, then run wanjia setup to upgrade.",
    )


class ToolMissing(Refusal):
    """PostgreSQL's own programs are not there, or older than the server."""

    code = "backup.tool_missing"
    status = 500
    facts = ("tool", "version")
    what = Sentence(
        "本机没有 {version} 或更高版本的 {tool}，没有开始，数据未受影响。",
        "This machine has no {tool} of version {version} or newer; nothing was begun and no data was touched.",
    )
    cure = Sentence(
        "请安装软件包 postgresql-client-{version}（或更新版本），或把它的 bin 目录加入 PATH。",
        "Install the package postgresql-client-{version} (or newer), or put its bin folder on the PATH.",
    )


class ToolFailed(Refusal):
    """PostgreSQL's own program ended with an error."""

    code = "backup.tool_failed"
    status = 500
    facts = ("tool", "said")
    what = Sentence("{tool} 失败：{said}", "{tool} failed: {said}")
    cure = Sentence(
        "请按提示排除原因（磁盘空间、连接、权限）后重新执行同一命令。",
        "Remove the cause it names (space, connection, privileges) and run the same command again.",
    )


class RowsHidden(Refusal):
    """The database's role may not see every row."""

    code = "backup.rows_hidden"
    status = 500
    facts = ("table",)
    what = Sentence(
        "数据库帐号受行级权限限制，读不全表 {table}，" + _NOTHING_WRITTEN,
        "Row-level security hides rows of {table} from the database role; no backup was written.",
    )
    cure = Sentence(
        "请用表的所有者帐号（或具有 BYPASSRLS 的帐号）执行备份。",
        "Run the backup as the role that owns the tables, or one with BYPASSRLS.",
    )


class DiskRefused(Refusal):
    """The file system did not take or give what was asked: full, a quota, a fault of the disk."""

    code = "backup.disk_refused"
    status = 507
    facts = ("folder", "said")
    what = Sentence(
        "写入 {folder} 时磁盘出错（{said}），没有完成。",
        "The disk failed while {folder} was written ({said}); it is not finished.",
    )
    cure = Sentence(
        "请检查剩余空间、配额和磁盘状态，然后重新执行同一命令；原有数据未受影响。",
        "Look at free space, quota and the disk itself, then run the same command again; what was there is untouched.",
    )


class NotABackup(Refusal):
    """A folder without a manifest: no backup, or one that was never finished."""

    code = "backup.not_a_backup"
    status = 404
    facts = ("folder",)
    what = Sentence(
        "{folder} 不是完整的备份（缺少 manifest.json），没有改动任何内容。",
        "{folder} is no finished backup (it has no manifest.json); nothing was changed.",
    )
    cure = Sentence(
        "请选择另一个备份；没有清单的文件夹是中断的备份，可以删除。",
        "Choose another one; a folder without a manifest is a backup that was interrupted and may be removed.",
    )


class BackupDamaged(Refusal):
    """Files of the backup are missing or are not what the manifest says."""

    code = "backup.damaged"
    status = 422
    facts = ("files", "count")
    what = Sentence(
        "备份中有 {count} 个文件缺失或已损坏：{files}。没有恢复任何内容。",
        "{count} files of the backup are missing or damaged: {files}. Nothing was restored.",
    )
    cure = Sentence(
        "请使用更早的备份或另一份拷贝；完好的文件可以从其他备份中按同名取回。",
        "Use an earlier backup or another copy of this one; a whole file of the same name may be put in its place.",
    )


class BackupNewer(Refusal):
    """The backup was made by a newer program."""

    code = "backup.newer"
    status = 409
    facts = ("made_by", "program", "migrations")
    what = Sentence(
        "备份由较新的程序 {made_by} 制作，本程序 {program} 不认识其中的表（{migrations}），没有恢复任何内容。",
        "The backup was made by the newer program {made_by}; this one, {program}, does not know its tables "
        "({migrations}). Nothing was restored.",
    )
    cure = Sentence("请安装 {made_by} 或更新的版本后再恢复。", "Install {made_by} or newer, then restore.")


class OtherDatabase(Refusal):
    """A dump of one database does not go into another kind."""

    code = "backup.other_database"
    status = 409
    facts = ("made_on", "here")
    what = Sentence(
        "备份来自 {made_on}，而本机配置的是 {here}，没有恢复任何内容。",
        "The backup is from {made_on}, but {here} is configured here; nothing was restored.",
    )
    cure = Sentence(
        "恢复到 PostgreSQL 时设置 WANJIA_DATABASE_URL；恢复到 SQLite 时不要设置。",
        "Set WANJIA_DATABASE_URL to restore to PostgreSQL; leave it unset to restore to SQLite.",
    )


class HomeNotEmpty(Refusal):
    """A restore makes an installation; it never replaces one."""

    code = "backup.home_not_empty"
    status = 409
    facts = ("home",)
    what = Sentence(
        "数据文件夹 {home} 不是空的，没有改动任何内容。", "The home {home} is not empty; nothing in it was touched."
    )
    cure = Sentence(
        "请把 WANJIA_HOME 指向一个空文件夹；原有内容请先移到别处。",
        "Point WANJIA_HOME at an empty folder; move what is there somewhere else first.",
    )


class DatabaseNotEmpty(Refusal):
    """A restore fills an empty database; it never replaces one."""

    code = "backup.database_not_empty"
    status = 409
    facts = ("database",)
    what = Sentence(
        "数据库 {database} 不是空的，没有改动任何内容。", "The database {database} is not empty; nothing was changed."
    )
    cure = Sentence(
        "请新建一个空数据库，并让 WANJIA_DATABASE_URL 指向它。",
        "Create an empty database and let WANJIA_DATABASE_URL name it.",
    )


class RestoreBusy(Refusal):
    """Another process is restoring into the same home."""

    code = "backup.restore_busy"
    status = 409
    facts = ("home",)
    what = Sentence(
        "另一个恢复正在写入 {home}，这次没有开始。", "Another restore is writing to {home}; this one did not begin."
    )
    cure = Sentence("请等它结束。", "Wait for it to end.")


class KeysMissing(Refusal):
    """Without its keys nothing of a backup can be read."""

    code = "backup.keys_missing"
    status = 409
    facts = ("keys",)
    what = Sentence(
        "没有这个备份所需的密钥（{keys}），没有恢复任何内容。",
        "The keys this backup needs are not at hand ({keys}); nothing was restored.",
    )
    cure = Sentence(
        "请用 --keys 指定与该备份同一安装的密钥文件夹（person.key 与 field.key）。",
        "Name the folder with the keys of the same installation (person.key and field.key) with --keys.",
    )


class DigestDiffers(Refusal):
    """What the database holds after loading is not what was saved."""

    code = "backup.digest_differs"
    status = 500
    facts = ("tables",)
    what = Sentence(
        "装入后的内容与备份不一致（{tables}），恢复没有完成，网站不会启动。",
        "What was loaded differs from what was saved ({tables}); the restore is not finished, the site will not start.",
    )
    cure = Sentence(
        "请清空数据库后重试；仍不一致时请使用另一个备份，并报告数据库版本。",
        "Empty the database and try again; if it still differs, use another backup and report the database's version.",
    )
