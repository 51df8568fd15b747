from wanjia.audit.acts import Act
from wanjia.kernel.errors import Sentence

ACTS = [
    Act(
        "exports.ask",
        Sentence(
            "申请导出 {rows} 行（第 {request} 号）：{reason}", "asked to export {rows} rows (no. {request}): {reason}"
        ),
    ),
    Act(
        "exports.approve",
        Sentence("批准导出 {rows} 行（第 {request} 号）", "approved the export of {rows} rows (no. {request})"),
    ),
    Act(
        "exports.decline",
        Sentence(
            "未批准导出 {rows} 行（第 {request} 号）：{note}",
            "declined the export of {rows} rows (no. {request}): {note}",
        ),
    ),
]
