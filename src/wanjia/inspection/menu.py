from wanjia.ui.menu import MenuItem

ITEMS = [
    MenuItem("evidence", "审计工作台", "inspection:desk", "audit.sample", 5),
    MenuItem("evidence", "查阅预警", "inspection:bulk_readings", "audit.read", 30),
]
