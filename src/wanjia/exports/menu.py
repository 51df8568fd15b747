from wanjia.ui.menu import MenuItem

ITEMS = [MenuItem("today", "导出申请", "exports:requests", "exports.approve", 40)]
