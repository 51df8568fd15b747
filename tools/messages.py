"""Collects what the pages say and keeps each slice's English catalogue in step.

    python tools/messages.py             update every src/wanjia/<slice>/locale/en/LC_MESSAGES/django.po
    python tools/messages.py registry    update one slice
    python tools/messages.py --check     change nothing; list what is missing and fail if anything is

Message ids are Chinese, so Chinese needs no catalogue. Obsolete entries are dropped, places
are given without line numbers and the header carries no date: a catalogue changes when a
sentence changes, and only then.
"""

from __future__ import annotations

import argparse
import io
import re
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

import django
from babel.messages.catalog import Catalog, Message
from babel.messages.extract import DEFAULT_KEYWORDS, extract
from babel.messages.pofile import read_po, write_po
from django.conf import settings
from django.utils.translation import template as django_template

ROOT = Path(__file__).parent.parent
SLICES = ROOT / "src/wanjia"
LOCALE = "en"

# Titles that are translated when shown: the second argument of these calls is a message id.
KEYWORDS = {
    **DEFAULT_KEYWORDS,
    "gettext_lazy": None,
    "gettext_noop": None,
    "ngettext_lazy": (1, 2),
    "pgettext_lazy": ((1, "c"), 2),
    "npgettext_lazy": ((1, "c"), 2, 3),
    "MenuItem": (2,),
    "Panel": (2,),
    "Group": (2,),
}

HEADER = r"""msgid ""
msgstr ""
"Language: en\n"
"MIME-Version: 1.0\n"
"Content-Type: text/plain; charset=UTF-8\n"
"Content-Transfer-Encoding: 8bit\n"
"Plural-Forms: nplurals=2; plural=(n != 1);\n"

"""

PLACEHOLDER = re.compile(r"%\(\w+\)[a-z]|\{\w*\}|%[sd]")


def slices() -> Iterator[Path]:
    """The folders of the slices, in the order of their names."""
    for folder in sorted(SLICES.iterdir()):
        if (folder / "__init__.py").is_file():
            yield folder


def catalogue_of(folder: Path) -> Path:
    """Where the slice's English stands."""
    return folder / "locale" / LOCALE / "LC_MESSAGES" / "django.po"


def said(folder: Path) -> Catalog:
    """Every message of the slice's Python files and templates, untranslated."""
    catalogue = Catalog(locale=LOCALE, fuzzy=False)
    for path in sorted(
        [*folder.rglob("*.py"), *folder.rglob("templates/**/*.html"), *folder.rglob("templates/**/*.txt")]
    ):
        if "migrations" in path.parts:
            continue
        source = path.read_text("utf-8")
        if path.suffix != ".py":
            source = _as_python(source, path)
        place = path.relative_to(ROOT).as_posix()
        for _line, message, _comments, context in extract("python", io.BytesIO(source.encode()), keywords=KEYWORDS):
            if message and (message if isinstance(message, str) else message[0]):
                catalogue.add(message, locations=[(place, 0)], context=context)
    return catalogue


def _as_python(source: str, path: Path) -> str:
    """A template as Django's own extractor sees it, unindented so that Python's tokenizer accepts it."""
    text = django_template.templatize(source, origin=str(path))
    return "\n".join(line.strip() for line in text.splitlines())


def known(path: Path) -> Catalog:
    """The catalogue on disk; an empty one when there is none."""
    if not path.is_file():
        return Catalog(locale=LOCALE, fuzzy=False)
    with path.open("rb") as lines:
        return read_po(lines, locale=LOCALE, abort_invalid=True)


def brought_up_to_date(found: Catalog, old: Catalog, elsewhere: dict[tuple[str, str | None], str]) -> Catalog:
    """`found` with the translations of `old`, or of another slice that says the same."""
    for message in messages(found):
        before = old.get(message.id, message.context)
        if before is not None and before.string:
            message.string = before.string
            message.flags = set(before.flags)
            message.user_comments = before.user_comments
        elif isinstance(message.id, str):
            message.string = elsewhere.get((message.id, message.context), "")
    return found


def messages(catalogue: Catalog) -> Iterator[Message]:
    """The catalogue's messages without its header."""
    return (message for message in catalogue if message.id)


def is_translated(message: Message) -> bool:
    """Whether every form of the message has its English."""
    return all(message.string) if isinstance(message.string, tuple | list) else bool(message.string)


def written(catalogue: Catalog) -> bytes:
    """The catalogue as its file's bytes."""
    out = io.BytesIO()
    write_po(out, catalogue, width=110, omit_header=True, sort_output=True, include_lineno=False)
    return HEADER.encode() + out.getvalue()


def problems() -> Iterator[str]:
    """What stands between the catalogues and a complete English, one sentence each."""
    english: dict[tuple[str, str | None], tuple[str, str]] = {}
    for folder in slices():
        name, found, old = folder.name, said(folder), known(catalogue_of(folder))
        for message in messages(found):
            has = old.get(message.id, message.context)
            if has is None or not is_translated(has):
                yield f"{name}: {message.id!r} has no English"
                continue
            if has.fuzzy:
                yield f"{name}: the English of {message.id!r} is marked fuzzy"
            if _placeholders(message.id) != _placeholders(has.string):
                yield f"{name}: {message.id!r} and its English do not name the same facts"
            # Django merges the slices' catalogues: the same words must have the same English everywhere.
            if isinstance(has.string, str) and isinstance(message.id, str):
                first, where = english.setdefault((message.id, message.context), (has.string, name))
                if first != has.string:
                    yield f"{name}: {message.id!r} is {has.string!r} here and {first!r} in {where}"
        for message in messages(old):
            if found.get(message.id, message.context) is None:
                yield f"{name}: {message.id!r} is translated, but no page says it"


def _placeholders(text: str | Sequence[str]) -> set[str]:
    return set(PLACEHOLDER.findall(text if isinstance(text, str) else text[-1]))


def update(names: Sequence[str] = ()) -> int:
    """Write the catalogues of the named slices, or of all; the number of messages still without English."""
    olds = {folder: known(catalogue_of(folder)) for folder in slices()}
    elsewhere = {
        (message.id, message.context): message.string
        for old in olds.values()
        for message in messages(old)
        if isinstance(message.id, str) and message.string
    }
    missing = 0
    for folder, old in olds.items():
        found = said(folder)
        path = catalogue_of(folder)
        if not any(messages(found)) or (names and folder.name not in names):
            continue
        new = brought_up_to_date(found, old, elsewhere)
        missing += sum(not is_translated(message) for message in messages(new))
        content = written(new)
        if not path.is_file() or path.read_bytes() != content:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
            print(f"written: {path.relative_to(ROOT)}")
    return missing


def main(arguments: Sequence[str] | None = None) -> int:
    """The program; its exit status."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--check", action="store_true", help="change nothing, list what is missing")
    parser.add_argument("slices", nargs="*", help="update only these slices")
    chosen = parser.parse_args(arguments)
    if not settings.configured:
        settings.configure(USE_I18N=True)
        django.setup()
    if not chosen.check:
        missing = update(chosen.slices)
        print(f"{missing} messages have no English yet" if missing else "every message has its English")
        return 0
    found = list(problems())
    for problem in found:
        print(problem, file=sys.stderr)
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
