from wanjia.audit.acts import Act
from wanjia.kernel.errors import Sentence

ACTS = [
    Act(
        "inspection.bulk_reading",
        Sentence(
            "发现 {reader} 号用户在短时间内查阅 {subjects} 个对象",
            "noticed that user {reader} read of {subjects} subjects in a short time",
        ),
    ),
    Act(
        "inspection.answer_reading",
        Sentence("核实批量查阅预警：{answer}", "answered a reading alert: {answer}"),
    ),
    Act(
        "inspection.draw",
        Sentence("从 {population} 件核查件中抽取审计样本 {size} 件", "drew {size} of {population} cases for an audit"),
    ),
    Act("inspection.population", Sentence("导出抽样总体（{rows} 行）", "exported a population ({rows} rows)")),
    Act(
        "inspection.bundle",
        Sentence("下载审计样本材料（{cases} 件）", "fetched the bundle of an audit sample ({cases} cases)"),
    ),
]
