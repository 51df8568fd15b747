"""The file of roles, read once."""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache
from pathlib import Path
from typing import Any

import yaml

from wanjia.kernel.errors import Sentence

ROLES = Path(__file__).parent / "data" / "roles.yaml"


@lru_cache(maxsize=1)
def document() -> dict[str, Any]:
    """`roles.yaml` as it stands."""
    loaded = yaml.safe_load(ROLES.read_text("utf-8"))
    return loaded if isinstance(loaded, dict) else {}


def deputised(actions: Iterable[str]) -> list[str]:
    """Those of the permission words that a deputy has while he stands in for somebody."""
    allowed = set(document()["deputies"])
    return [action for action in actions if action in allowed]


def action_titles() -> dict[str, Sentence]:
    """Every permission word with what it allows, in words."""
    return {word: Sentence(zh, en) for word, (zh, en) in document()["actions"].items()}
