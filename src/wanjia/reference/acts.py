from wanjia.audit.acts import Act
from wanjia.kernel.errors import Sentence

ACTS = [
    Act(
        "reference.load",
        Sentence(
            "装入了随程序提供的代码表与参数（写入 {written} 行）",
            "loaded the code lists and parameters that came with the program ({written} rows)",
        ),
    ),
    Act(
        "reference.set_parameter",
        Sentence(
            "设定参数 {name} 自 {valid_from} 起为 {value}，依据：{source}",
            "set the parameter {name} to {value} from {valid_from}, by {source}",
        ),
    ),
    Act(
        "reference.set_poverty_line",
        Sentence(
            "设定 {name} 为 {value} 元（自 {valid_from} 起），依据：{source}",
            "set {name} to {value} yuan from {valid_from}, by {source}",
        ),
    ),
]
