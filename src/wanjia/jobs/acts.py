"""How a history tells what was done to background jobs."""

from __future__ import annotations

from wanjia.audit.acts import Act
from wanjia.kernel.errors import Sentence

ACTS = [
    Act("jobs.cancel", Sentence("取消了后台任务 {job}（{name}）", "cancelled the background job {job} ({name})")),
]
