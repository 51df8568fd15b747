"""Write docs/reference/errors.md and registry-fields.md from what the code declares; `--check` only compares.

python tools/reference.py [--check]
"""

from __future__ import annotations

import importlib
import os
import pkgutil
import sys
from pathlib import Path

REFERENCE = Path(__file__).parents[1] / "docs" / "reference"
PAGE = REFERENCE / "errors.md"
FIELDS_PAGE = REFERENCE / "registry-fields.md"

HEAD = """# 拒绝代码 / Refusals

What the platform answers when it will not do something: nothing was changed, and it says what to do.
A retired code stays listed and is never used again. Written by `python tools/reference.py`.

| Code | HTTP | What happened / 发生了什么 | What to do / 怎么办 | Facts |
|---|---|---|---|---|
"""


# Codes that were answered once, and what is answered since; none is used again.
RETIRED = {
    f"sources.{name}": f"intake.{name}"
    for name in (
        "binary_file", "column_twice", "empty_file", "endless_line", "hidden_sheet", "mostly_broken",
        "too_many_columns", "truncated_file", "unbalanced_quote", "undecodable", "unknown_layout",
        "unknown_unit", "unsupported_format", "wrong_dataset",
    )
}  # fmt: skip
RETIRED_HEAD = """
## 停用 / Retired

| Code | Since then |
|---|---|
"""

FIELDS_HEAD = """# 登记指标 / Fields of the registry

Every field of the household, member, income, living, relocation, village and hamlet forms, in the order of the
forms. *Name* is what changes, loads and rules call it; *code* its column in copies of the national system. Whole
numbers are stored in the unit's parts: money in fen, areas in hundredths, distances in hundredths of a kilometre.
*Reviewed as* is the group whose parameter (`registry.review.…`) says how many levels look at a change; a dash
stands where the field changes only through an operation of its own. Written by `python tools/reference.py`.

"""


def fields_page() -> str:
    """The registry's fields as the code declares them."""
    from wanjia.registry.fields import FIELDS
    from wanjia.registry.requests.policy import group_of

    lines, table = [FIELDS_HEAD], ""
    for field in FIELDS.values():
        title = str(field.model._meta.verbose_name)
        if title != table:
            table = title
            lines += [f"\n## {table} `{field.model.__name__}`\n\n", FIELDS_COLUMNS]
        kind = f"`{field.code_list}`" if field.code_list else ""
        if field.several > 1:
            kind += f" ≤ {field.several}"
        unit = f"{field.unit.symbol.zh} / {field.unit.symbol.en}" if field.unit else ""
        shown = "masked" if field.protected else ""
        review = group_of(field) if field.editable else "–"
        cells = (field.title.zh, field.title.en, f"`{field.id}`", field.code, kind, unit, shown, review)
        lines.append(f"| {' | '.join(cells)} |\n")
    return "".join(lines)


FIELDS_COLUMNS = """| 指标 | Title | Name | Code | Code list | Unit | Protected | Reviewed as |
|---|---|---|---|---|---|---|---|
"""


def page() -> str:
    """The page of refusals as the code stands now."""
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
    retired = "".join(f"| `{old}` | `{new}` |\n" for old, new in sorted(RETIRED.items()))
    if taken := RETIRED.keys() & {kind.code for kind in all_refusals()}:
        raise SystemExit(f"retired codes are used again: {', '.join(sorted(taken))}")
    return HEAD + "\n".join(rows) + "\n" + RETIRED_HEAD + retired


def main() -> int:
    pages = {PAGE: page(), FIELDS_PAGE: fields_page()}
    if "--check" in sys.argv[1:]:
        return (
            0 if all(path.exists() and path.read_text(encoding="utf-8") == text for path, text in pages.items()) else 1
        )
    for path, text in pages.items():
        path.write_text(text, encoding="utf-8")
        print(f"{path.name}: {text.count(chr(10))} lines")
    return 0


if __name__ == "__main__":
    sys.exit(main())
