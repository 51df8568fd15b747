from wanjia.audit.acts import Act
from wanjia.kernel.errors import Sentence

ACTS = [
    Act("files.store", Sentence("提交了附件 {name}", "handed in the file {name}")),
    Act(
        "files.remove",
        Sentence("移除了附件 {name}，理由：{reason}", "took the file {name} away, because: {reason}"),
    ),
]
