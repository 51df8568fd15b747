from wanjia.scope.viewer import Relation
from wanjia.ui.menu import MenuItem

ITEMS = [MenuItem("team", "我的帮扶户", "workforce:mine", "workforce.read", order=10, relation=Relation.OWN_HOUSEHOLDS)]
