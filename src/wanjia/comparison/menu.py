from wanjia.ui.menu import MenuItem

ITEMS = [
    MenuItem("today", "等我办理", "casework:mine", "suspects.read", 20),
    MenuItem("compare", "比对与疑点", "comparison:runs", "comparison.read", 10),
    MenuItem("compare", "核查件", "casework:list", "suspects.read", 20),
    MenuItem("compare", "抽查", "comparison:sample", "suspects.sample", 30),
]
