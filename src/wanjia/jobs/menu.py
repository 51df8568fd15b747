from wanjia.ui.menu import MenuItem

ITEMS = [MenuItem("settings", "后台任务", "jobs:list", "signed_in", 80)]
