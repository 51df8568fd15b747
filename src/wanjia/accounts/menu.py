from wanjia.ui.menu import MenuItem

ITEMS = [
    MenuItem("settings", "人员与授权", "accounts:people", "accounts.read", 10),
    MenuItem("settings", "岗位权限表", "accounts:roles", "accounts.read", 20),
]
