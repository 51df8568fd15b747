from wanjia.ui.menu import MenuItem

ITEMS = [
    MenuItem("registry", "户信息", "registry:households", "registry.read", order=10),
    MenuItem("registry", "变更申请", "registry:requests", "registry.read", order=30),
]
