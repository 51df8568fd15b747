from wanjia.kernel.errors import Refusal, Sentence


class TooLarge(Refusal):
    """A file is larger than its purpose allows."""

    code = "files.too_large"
    status = 413
    facts = ("limit_mb",)
    what = Sentence("文件超过 {limit_mb} MB,没有保存。", "The file is larger than {limit_mb} MB and was not saved.")
    cure = Sentence(
        "照片请用手机重新拍摄或压缩；数据文件请按县拆分后分别上传。",
        "Take the photo again or compress it; split a data file by county and upload the parts.",
    )


class EmptyFile(Refusal):
    """A file without a byte in it."""

    code = "files.empty"
    facts = ()
    what = Sentence("文件是空的，没有保存。", "The file is empty and was not saved.")
    cure = Sentence(
        "请检查文件能否在电脑上打开，然后重新选择。", "Check that it opens on your computer, then choose it again."
    )


UNKNOWN_CONTENT = Sentence("无法识别", "nothing known")


class WrongType(Refusal):
    """What the bytes are is not what the purpose takes, whatever the name says."""

    stray_line: int | None = None  # of a text, but for a byte on that line

    code = "files.wrong_type"
    status = 415
    facts = ("found", "allowed")
    what = Sentence(
        "这里不接受该类型的文件（内容为 {found}），没有保存。",
        "This kind of file is not taken here (its content is {found}); it was not saved.",
    )
    cure = Sentence(
        "请上传以下类型之一：{allowed}。改文件扩展名不起作用，请另存为正确的格式。",
        "Upload one of: {allowed}. Renaming does not help; save it in the right format.",
    )

    def sentences(self, language: str) -> tuple[str, str]:
        found = UNKNOWN_CONTENT.text(language) if self.values.get("found") == "?" else self.values.get("found")
        words = {**self.values, "found": found}
        return self.what.text(language, **words), self.cure.text(language, **words)


class TooManyPixels(Refusal):
    """A picture whose size in pixels would exhaust memory when opened."""

    code = "files.too_many_pixels"
    status = 413
    facts = ("width", "height", "limit")
    what = Sentence(
        "图片尺寸 {width}×{height} 超过 {limit} 像素，没有保存。",
        "The picture of {width}×{height} has more than {limit} pixels and was not saved.",
    )
    cure = Sentence(
        "请用手机原相机重新拍摄，不要使用全景或超高像素模式。",
        "Take it again with the plain camera, without panorama or high-resolution mode.",
    )


class UnreadablePicture(Refusal):
    """A picture that is cut off or damaged."""

    code = "files.unreadable_picture"
    facts = ()
    what = Sentence("图片已损坏或不完整，没有保存。", "The picture is damaged or incomplete and was not saved.")
    cure = Sentence(
        "请确认手机上能打开该照片，然后重新上传。", "Make sure the photo opens on the phone, then upload it again."
    )


class UploadNotExpected(Refusal):
    """A file was sent to an address that takes none."""

    code = "files.not_expected"
    facts = ()
    what = Sentence("此页面不接收文件，没有保存任何内容。", "This page takes no files; nothing was saved.")
    cure = Sentence("请回到上传页面重新选择文件。", "Go back to the upload page and choose the file again.")


class NoFile(Refusal):
    """A form that needs a file came without one."""

    code = "files.missing"
    facts = ()
    what = Sentence("没有收到文件，没有保存任何内容。", "No file arrived; nothing was saved.")
    cure = Sentence(
        "请选择文件后再提交；网络中断时请重试。", "Choose a file and submit again; if the network broke, just repeat."
    )


class UnknownPurpose(Refusal):
    """The program asked to store a file for a purpose nobody declared."""

    code = "files.unknown_purpose"
    status = 500
    facts = ("purpose",)
    what = Sentence(
        "系统没有登记文件用途 {purpose}，文件没有保存。",
        "The purpose {purpose} is not declared; the file was not saved.",
    )
    cure = Sentence(
        "请把出现的时间和页面告诉系统管理员。", "Tell the system administrator when and where this happened."
    )


class ContentMissing(Refusal):
    """The database knows the file; its content is not on the disk."""

    code = "files.content_missing"
    status = 500
    facts = ("file",)
    what = Sentence("附件 {file} 的内容不在服务器上。", "The content of file {file} is not on the server.")
    cure = Sentence(
        "请联系系统管理员从备份恢复附件目录。",
        "Ask the system administrator to restore the file store from the backup.",
    )
