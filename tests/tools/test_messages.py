"""Every sentence of every page exists in English."""

import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT / "tools"))

import messages  # noqa: E402 - a program, not a package


@pytest.fixture
def slice_folder(tmp_path, monkeypatch):
    """A slice of two files that says three things."""
    folder = tmp_path / "src/wanjia/field"
    (folder / "templates/field").mkdir(parents=True)
    (folder / "__init__.py").touch()
    (folder / "menu.py").write_text('ITEMS = [MenuItem("today", "我的田", "field:mine", "registry.read")]\n', "utf-8")
    (folder / "templates/field/page.html").write_text(
        '{% load i18n %}<h1>{% translate "田" %}</h1>\n   <p>\n {% blocktranslate trimmed with n=n %}\n  共 {{ n }} 亩\n {% endblocktranslate %}',
        "utf-8",
    )
    monkeypatch.setattr(messages, "ROOT", tmp_path)
    monkeypatch.setattr(messages, "SLICES", tmp_path / "src/wanjia")
    return folder


def translate(folder, **english):
    path = messages.catalogue_of(folder)
    text = path.read_text("utf-8")
    for chinese, word in english.items():
        text = text.replace(f'msgid "{chinese}"\nmsgstr ""', f'msgid "{chinese}"\nmsgstr "{word}"')
    path.write_text(text, "utf-8")


def test_every_page_speaks_english():
    assert list(messages.problems()) == []


def test_titles_templates_and_code_are_all_found(slice_folder):
    assert {message.id for message in messages.messages(messages.said(slice_folder))} == {"我的田", "田", "共 %(n)s 亩"}


def test_what_is_missing_is_named_and_fails(slice_folder, capsys):
    assert messages.main(["--check"]) == 1
    assert "field: '田' has no English" in capsys.readouterr().err


def test_updating_twice_changes_nothing_and_keeps_the_english(slice_folder):
    messages.main([])
    translate(slice_folder, 田="Field", 我的田="My fields")
    messages.main([])
    first = messages.catalogue_of(slice_folder).read_bytes()
    messages.main([])
    assert messages.catalogue_of(slice_folder).read_bytes() == first
    assert b'msgstr "My fields"' in first
    assert b"Date" not in first


def test_what_no_page_says_any_more_is_dropped(slice_folder):
    messages.main([])
    translate(slice_folder, 我的田="My fields")
    (slice_folder / "menu.py").unlink()
    messages.main([])
    assert "我的田" not in messages.catalogue_of(slice_folder).read_text("utf-8")


def test_english_that_names_other_facts_is_refused(slice_folder):
    messages.main([])
    translate(slice_folder, 田="Field", 我的田="My fields", **{"共 %(n)s 亩": "%(m)s mu"})
    assert list(messages.problems()) == ["field: '共 %(n)s 亩' and its English do not name the same facts"]
