from wanjia.ui.menu import MenuItem

ITEMS = [
    MenuItem("registry", "户信息", "registry:households", "registry.read", order=10),
    MenuItem("registry", "登记统计", "registry:statistics", "registry.read", order=50),
    MenuItem("registry", "变更申请", "registry:requests", "registry.read", order=30),
    MenuItem("registry", "报告年度", "registry:years", "registry.read", order=12),
    MenuItem("registry", "到期删除", "registry:erasures", "registry.erase", order=80),
    MenuItem("registry", "导入户表和成员表", "registry:imports", "registry.write", order=60),
    MenuItem("registry", "导出户表和成员表", "registry:sheets", "registry.export", order=70),
]
