"""How a history tells what was done to pairings."""

from __future__ import annotations

from wanjia.audit.acts import Act
from wanjia.kernel.errors import Sentence

ACTS = [
    Act(
        "workforce.pair",
        Sentence(
            "将 {contacts} 名帮扶联系人与 {households} 户结对",
            "paired {contacts} contacts with {households} households",
        ),
    ),
    Act(
        "workforce.unpair",
        Sentence("自 {from} 起结束结对，理由：{reason}", "ended the pairing from {from}, because: {reason}"),
    ),
]
