from wanjia.ui.menu import MenuItem

ITEMS = [MenuItem("settings", "政策参数", "reference:parameters", "reference.read", 30)]
