from wanjia.ui.menu import MenuItem

ITEMS = [MenuItem("evidence", "审计工作台", "inspection:desk", "audit.sample", 5)]
