from wanjia.ui.menu import MenuItem

ITEMS = [
    MenuItem("evidence", "操作记录", "audit:log", "audit.read", 10),
    MenuItem("evidence", "查阅记录", "audit:readings", "audit.read", 20),
]
