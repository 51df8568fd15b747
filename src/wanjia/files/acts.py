from wanjia.audit.acts import Act
from wanjia.kernel.errors import Sentence

ACTS = [
    Act("files.store", Sentence("提交了附件 {name}", "handed in the file {name}")),
]
