"""What the lake refuses."""

from __future__ import annotations

from wanjia.kernel.errors import Refusal, Sentence


class BadAddress(Refusal):
    """An address is a relative path of plain segments; nothing else reaches the file system."""

    code = "lake.bad_address"
    status = 400
    facts = ("address",)
    what = Sentence(
        "数据湖地址不合规：{address}。没有写入任何内容。", "Not an address in the lake: {address}. Nothing was written."
    )
    cure = Sentence(
        "地址由小写字母、数字和 . _ = , @ - 组成，用 / 分段，例如 sources/gongan.vehicles/batch=12。",
        "Use segments of lower-case letters, digits and . _ = , @ - such as sources/gongan.vehicles/batch=12.",
    )


class AlreadyPublished(Refusal):
    """Datasets are immutable: an address is published once."""

    code = "lake.already_published"
    status = 409
    facts = ("address",)
    what = Sentence(
        "数据集 {address} 已经发布，不能覆盖；原有内容保持不变。", "{address} is published already and stays as it is."
    )
    cure = Sentence(
        "请用新的批次或版本号发布；如需更正，发布一个新批次。",
        "Publish under a new batch or version; a correction is a new batch.",
    )


class NotPublished(Refusal):
    """There is no such dataset, or its writer never finished."""

    code = "lake.not_published"
    status = 404
    facts = ("address",)
    what = Sentence("数据湖中没有 {address}，或它没有写完。", "The lake holds no {address}, or it was never finished.")
    cure = Sentence(
        "请重新执行产生它的步骤；如曾经存在，运行 wanjia doctor 查看数据湖。",
        "Run the step that makes it again; if it once existed, ask wanjia doctor about the lake.",
    )


class Damaged(Refusal):
    """A file differs from what its manifest promises."""

    code = "lake.damaged"
    status = 500
    facts = ("address", "files")
    what = Sentence(
        "数据集 {address} 的文件与清单不符：{files}。", "Files of {address} differ from its manifest: {files}."
    )
    cure = Sentence("请从备份恢复该数据集，然后重试。", "Restore the dataset from a backup, then try again.")


class SchemaMismatch(Refusal):
    """The rows at hand do not fit the declared columns; writing them anyway would change values."""

    code = "lake.schema_mismatch"
    status = 422
    facts = ("column", "declared", "found")
    what = Sentence(
        "列 {column} 声明为 {declared}，实际为 {found}；没有写入任何内容。",
        "The column {column} is declared {declared} but is {found}; nothing was written.",
    )
    cure = Sentence(
        "请在写入前显式转换该列，或更正声明。", "Cast the column before writing, or correct the declaration."
    )
