"""The built front end: which files a page links to, and the icons drawn into pages."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from django.core.checks import CheckMessage, register
from django.core.checks import Warning as CheckWarning

FOLDER = Path(__file__).parent / "static" / "ui"


@dataclass(frozen=True, slots=True)
class Entry:
    """What a page needs for one entry point, as paths below `static/`."""

    script: str
    styles: tuple[str, ...]


@cache
def _read(name: str, _changed_ns: int) -> dict[str, Any]:
    content: dict[str, Any] = json.loads((FOLDER / name).read_text("utf-8"))
    return content


def _content(name: str) -> dict[str, Any]:
    """A JSON file of the build; read again only when it was built again; empty when there is none."""
    try:
        changed = os.stat(f"{FOLDER}/{name}").st_mtime_ns  # noqa: PTH116 - asked dozens of times a page
    except FileNotFoundError:
        return {}
    return _read(name, changed)


def entry(name: str) -> Entry | None:
    """The files of the entry point `name` ("office.js"); None when the front end is not built."""
    source = "src/" + name.removesuffix(".js") + ".ts"
    found = _content("manifest.json").get(source)
    if found is None:
        return None
    return Entry(f"ui/{found['file']}", tuple(f"ui/{style}" for style in found.get("css", ())))


def icon(name: str) -> str:
    """The inner drawing of an icon on a 24 × 24 grid; empty when it is unknown."""
    return str(_content("icons.json").get(name, ""))


@register()
def front_end_is_built(**_: Any) -> list[CheckMessage]:
    """Warn when pages would come without style; commands that show no page still run."""
    if entry("office.js") is not None:
        return []
    return [
        CheckWarning(
            f"The front end is not built: {FOLDER / 'manifest.json'} is missing.",
            hint="Run `make setup`, or `python hatch_build.py` in the project folder.",
            id="ui.W001",
        )
    ]
