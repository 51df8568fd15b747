import re

from wanjia.kernel.errors import Refusal, Sentence

_TELL = Sentence(
    "请把出现的时间和页面告诉系统管理员。",
    "Tell the system administrator when and on which page this happened.",
)


class RecordedOutsideTransaction(Refusal):
    """`record` was called where its row could be kept while the act is lost, or the other way round."""

    code = "audit.outside_transaction"
    status = 500
    facts = ("act",)
    what = Sentence(
        "程序试图在事务之外登记操作（{act}），已被阻止，没有任何内容被改动。",
        "The program tried to record an act ({act}) outside a transaction and was stopped; nothing was changed.",
    )
    cure = _TELL


class EventIdReused(Refusal):
    """The same event id came with a different act: two things may not share one receipt."""

    code = "audit.event_id_reused"
    status = 409
    facts = ("event_id",)
    what = Sentence(
        "操作编号 {event_id} 已用于另一项操作，本次没有保存。",
        "The event id {event_id} already stands for another act; this one was not saved.",
    )
    cure = Sentence(
        "请刷新页面后重新提交；如在手机上提交，请先同步。",
        "Reload the page and submit again; on a phone, synchronise first.",
    )


class PayloadNotCanonical(Refusal):
    """The content of an act holds something that has no single written form."""

    code = "audit.payload_not_canonical"
    status = 500
    facts = ("where", "problem")
    what = Sentence(
        "操作内容 {where} 无法登记（{problem}），没有任何内容被改动。",
        "The content of the act cannot be recorded at {where} ({problem}); nothing was changed.",
    )
    cure = _TELL


FIELDS = {  # what people typed into, by the name it has in the program
    "reason": Sentence("“原因”", "the reason"),
    "note": Sentence("“说明”", "the note"),
    "answer": Sentence("“核实情况”", "the answer"),
    "source": Sentence("“依据”", "the source"),
    "header": Sentence("表头", "the header"),
    "display_name": Sentence("“姓名”", "the name"),
    "name": Sentence("“名称”", "the name"),
}
TYPED = Sentence("填写的内容", "what was typed")


class IdentityNumberInPayload(Refusal):
    """An identity number stands in clear where only references may stand; people are told the field by its label."""

    code = "audit.identity_number_in_payload"
    status = 422
    facts = ("where",)
    what = Sentence(
        "{where}中含有明文身份证号码，系统拒绝登记，没有任何内容被改动。",
        "An identity number stands in clear in {where}; the platform refused and changed nothing.",
    )
    cure = Sentence(
        "说明文字中请不要填写身份证号码，改用姓名或户编号。",
        "Do not write identity numbers into remarks; use the name or the household number.",
    )

    def sentences(self, language: str) -> tuple[str, str]:
        """`where` is a path: of an act's content, or of a field's parts."""
        path = re.sub(r"\[[0-9]+\]", "", str(self.values.get("where"))).split(".")
        field = next((FIELDS[name] for name in reversed(path) if name in FIELDS), TYPED)
        return self.what.text(language, where=field.text(language)), self.cure.text(language)


class NoSuchEvent(Refusal):
    """There is no entry with this event id that the reader may see."""

    code = "audit.no_such_event"
    status = 404
    facts = ("event_id",)
    what = Sentence(
        "没有找到编号为 {event_id} 的存证记录，或它不在您的管辖范围内。",
        "There is no entry {event_id}, or it lies outside your area.",
    )
    cure = Sentence("请核对编号。", "Check the number.")
