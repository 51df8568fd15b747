from wanjia.audit.acts import Act
from wanjia.kernel.errors import Sentence

ACTS = [
    Act(
        "sources.receive",
        Sentence("接收了一份部门数据文件（{bytes} 字节）", "took in a department's file ({bytes} bytes)"),
    ),
    Act(
        "sources.inspect",
        Sentence(
            "读取了数据文件：共 {lines} 行，可采纳 {accepted} 行，有问题 {rejected} 行，非数据 {non_data} 行",
            "read the file: {lines} lines, {accepted} acceptable, {rejected} with problems, {non_data} without data",
        ),
    ),
    Act("sources.read_again", Sentence("要求重新读取数据文件", "had the file read again")),
    Act("sources.map_columns", Sentence("确定了 {columns} 列的对应", "said what {columns} columns are")),
    Act("sources.end_mapping", Sentence("停用了列的对应", "ended a mapping of columns")),
    Act("sources.accept", Sentence("采纳了这批数据的 {accepted} 行", "accepted {accepted} rows of the batch")),
    Act("sources.let_go_on", Sentence("放行了存疑的批次：{reason}", "let the held batch go on: {reason}")),
    Act("sources.reject_batch", Sentence("退回了这批数据：{reason}", "sent the batch back: {reason}")),
    Act("sources.withdraw", Sentence("撤回了已采纳的批次：{reason}", "withdrew the accepted batch: {reason}")),
    Act("sources.reject_sheet", Sentence("下载了问题表（{rows} 行）", "fetched the reject sheet ({rows} rows)")),
]
