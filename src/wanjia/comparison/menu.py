from wanjia.ui.menu import MenuItem

# What somebody does with a case that waits for him.
ACTING = (
    "suspects.dispatch", "suspects.distribute", "suspects.assign", "suspects.verify", "suspects.correct",
    "suspects.review", "suspects.decide", "suspects.sample",
)  # fmt: skip
ANSWERING = ("suspects.verify", "suspects.correct")  # what a sheet can answer
AT_THE_DOOR = ("suspects.assign", *ANSWERING)  # whoever goes, and who prepares it for him
ITEMS = [
    MenuItem("today", "部门工作台", "comparison:department_desk", "sources.feedback", 15),
    MenuItem("today", "等我办理", "casework:mine", "suspects.read", 20, any_of=ACTING),
    MenuItem("today", "按户核查", "casework:households", "suspects.read", 22, any_of=AT_THE_DOOR),
    MenuItem("today", "用 Excel 答复", "casework:answers", "suspects.read", 24, any_of=ANSWERING),
    MenuItem("compare", "比对与疑点", "comparison:runs", "comparison.read", 10),
    MenuItem("compare", "核查件", "casework:list", "suspects.read", 20),
    MenuItem("compare", "核查进度", "comparison:progress", "suspects.read", 25),
    MenuItem("compare", "核查周报", "comparison:weekly", "suspects.read", 26),
    MenuItem("compare", "部门反馈", "comparison:feedback_list", "sources.read", 28),
    MenuItem("compare", "抽查", "comparison:sample", "suspects.sample", 30),
]
