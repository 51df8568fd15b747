"""Write docs/reference/errors.md from the refusals the code defines; `--check` only compares.

python tools/reference.py [--check]
"""

from __future__ import annotations

import importlib
import os
import pkgutil
import sys
from pathlib import Path

PAGE = Path(__file__).parents[1] / "docs" / "reference" / "errors.md"

HEAD = """# 拒绝代码 / Refusals

What the platform answers when it will not do something: nothing was changed, and it says what to do.
A retired code stays listed and is never used again. Written by `python tools/reference.py`.

| Code | HTTP | What happened / 发生了什么 | What to do / 怎么办 | Facts |
|---|---|---|---|---|
"""


def page() -> str:
    """The page as the code stands now."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "wanjia.config.settings.test")
    import django

    import wanjia
    from wanjia.kernel.errors import all_refusals

    django.setup()
    for module in pkgutil.walk_packages(wanjia.__path__, "wanjia."):
        if not module.name.endswith(("settings.production", ".wsgi")) and ".migrations" not in module.name:
            importlib.import_module(module.name)
    rows = [
        f"| `{kind.code}` | {kind.status} | {kind.what.zh}<br>{kind.what.en} | {kind.cure.zh}<br>{kind.cure.en} "
        f"| {', '.join(f'`{fact}`' for fact in kind.facts) or '–'} |"
        for kind in all_refusals()
    ]
    return HEAD + "\n".join(rows) + "\n"


def main() -> int:
    text = page()
    if "--check" in sys.argv[1:]:
        return 0 if PAGE.exists() and PAGE.read_text(encoding="utf-8") == text else 1
    PAGE.write_text(text, encoding="utf-8")
    print(f"{PAGE.name}: {text.count(chr(10)) - 8} refusals")
    return 0


if __name__ == "__main__":
    sys.exit(main())
