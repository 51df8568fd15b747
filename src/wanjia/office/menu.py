from wanjia.ui.menu import SIGNED_IN, MenuItem

ITEMS = [MenuItem("today", "今日概况", "office:home", SIGNED_IN, 10)]
