from wanjia.audit.acts import Act
from wanjia.kernel.errors import Sentence

ACTS = [
    Act(
        "resolution.resolve",
        Sentence(
            "将该批数据归户：{matched} 条属于登记人口，{unmatched} 条不属于",
            "resolved the batch: {matched} records of registered people, {unmatched} of others",
        ),
    ),
]
