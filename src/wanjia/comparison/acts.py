from wanjia.audit.acts import Act
from wanjia.kernel.errors import Sentence

ACTS = [
    Act("comparison.screen", Sentence("审查疑点 {findings} 条并下发", "screened {findings} findings and issued them")),
    Act("comparison.request", Sentence("发起数据比对", "asked for a comparison")),
    Act(
        "comparison.run", Sentence("完成数据比对，发现疑点 {findings} 条", "made a comparison with {findings} findings")
    ),
    Act("comparison.release", Sentence("确认比对结果有效：{reason}", "confirmed a held comparison: {reason}")),
    Act(
        "comparison.progress_export",
        Sentence("导出核查进度（{rows} 行）", "exported figures of progress ({rows} rows)"),
    ),
    Act(
        "comparison.weekly_export", Sentence("导出核查整改周报（{rows} 行）", "exported the weekly table ({rows} rows)")
    ),
    Act("comparison.discard", Sentence("作废比对结果：{reason}", "discarded a held comparison: {reason}")),
]
