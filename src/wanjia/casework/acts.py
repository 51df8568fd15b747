from wanjia.audit.acts import Act
from wanjia.kernel.errors import Sentence

ACTS = [
    Act(
        "casework.answers_form",
        Sentence("下载了核查答复填写表（{rows} 行）", "fetched a form for answers ({rows} rows)"),
    ),
    Act(
        "casework.answers_rejects",
        Sentence("下载了未采用的答复（{rows} 行）", "fetched the answers not taken ({rows} rows)"),
    ),
    Act("casework.export", Sentence("导出核查件 {rows} 件", "exported {rows} cases")),
    Act("casework.check_sheets", Sentence("打印了入户核查单（{count} 户）", "printed check sheets")),
]
