from wanjia.kernel.errors import Refusal, Sentence

_RESTORE = Sentence(
    "请从密钥备份恢复该文件（{file}），权限设为仅本人可读写（0600），然后重新启动。切勿新建密钥：新密钥读不出已有数据。",
    "Restore {file} from the copy of the keys, readable by its owner only (mode 0600), and start again. "
    "Do not make a new key: it cannot read what is there.",
)


class KeyFileMissing(Refusal):
    """There is no key file where the installation keeps its keys."""

    code = "protection.key_file_missing"
    status = 500
    facts = ("file",)
    what = Sentence(
        "缺少密钥文件 {file}，系统没有启动，数据未受影响。",
        "The key file {file} is missing; nothing was started and no data was touched.",
    )
    cure = _RESTORE


class KeyFileMalformed(Refusal):
    """A key file is not what `Keyring.create` writes."""

    code = "protection.key_file_malformed"
    status = 500
    facts = ("file", "line")
    what = Sentence(
        "密钥文件 {file} 第 {line} 行格式不正确，系统没有启动，数据未受影响。",
        "Line {line} of the key file {file} is not a key; nothing was started and no data was touched.",
    )
    cure = _RESTORE


class KeyFileExposed(Refusal):
    """Somebody other than its owner can read a key file."""

    code = "protection.key_file_exposed"
    status = 500
    facts = ("file", "mode")
    what = Sentence(
        "密钥文件 {file} 的权限为 {mode}，本机其他用户可以读取，系统没有启动。",
        "The key file {file} has mode {mode}: other users of this machine can read it. Nothing was started.",
    )
    cure = Sentence(
        "请执行 chmod 600 {file}；如果他人可能已经读取，请先轮换密钥。",
        "Run chmod 600 {file}; if others may have read it, rotate the key first.",
    )


class KeyFileExists(Refusal):
    """Keys are created once; creating them again would make everything unreadable."""

    code = "protection.key_file_exists"
    status = 409
    facts = ("file",)
    what = Sentence(
        "密钥文件 {file} 已经存在，没有覆盖。", "The key file {file} is already there and was not overwritten."
    )
    cure = Sentence(
        "请直接使用现有密钥；需要更换时请使用密钥轮换。", "Use the keys that are there; to replace them, rotate."
    )


class WrongKey(Refusal):
    """A key file belongs to another database."""

    code = "protection.wrong_key"
    status = 500
    facts = ("file",)
    what = Sentence(
        "密钥文件 {file} 不属于这个数据库，系统没有启动，数据未受影响。",
        "The key file {file} does not belong to this database; nothing was started and no data was touched.",
    )
    cure = _RESTORE


class Unreadable(Refusal):
    """A ciphertext does not open: damaged, moved to another row, or made with a key we do not have."""

    code = "protection.unreadable"
    status = 500
    facts = ("reason",)
    what = Sentence(
        "一项加密内容无法解密（{reason}），没有显示任何内容。",
        "An encrypted value does not open ({reason}); nothing of it was shown.",
    )
    cure = Sentence(
        "请把时间和页面告诉系统管理员：内容可能被改动，或密钥不完整。",
        "Tell the system administrator when and where: the value may have been altered, or a key is missing.",
    )
