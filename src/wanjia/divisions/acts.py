from wanjia.audit.acts import Act
from wanjia.kernel.errors import Sentence

ACTS = [
    Act(
        "divisions.load",
        Sentence(
            "装入了行政区划（写入 {written} 个，停用 {closed} 个）",
            "loaded the administrative divisions ({written} written, {closed} closed)",
        ),
    ),
]
