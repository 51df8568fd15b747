from wanjia.ui.menu import MenuItem

ITEMS = [
    MenuItem("sources", "部门数据", "sources:list", "sources.read", 10),
    MenuItem("sources", "上传数据文件", "sources:upload", "sources.load", 20),
]
