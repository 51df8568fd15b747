"""What all slices declare to the audit holds together."""

import ast
from pathlib import Path

import pytest
from django.apps import apps

import wanjia
from wanjia.audit import acts, watched

SOURCE = Path(wanjia.__file__).parent


def literal_acts():
    """Every `record(..., act="…")` in the source whose act is written out."""
    for file in SOURCE.rglob("*.py"):
        for node in ast.walk(ast.parse(file.read_text("utf-8"))):
            if isinstance(node, ast.Call):
                for keyword in node.keywords:
                    if keyword.arg == "act" and isinstance(keyword.value, ast.Constant):
                        yield keyword.value.value, file.relative_to(SOURCE)


def test_every_act_in_the_source_has_a_sentence(monkeypatch):
    monkeypatch.setattr(acts, "_acts", {})
    acts.discover()
    found = list(literal_acts())
    assert len(found) >= 5
    untold = sorted({f"{code} ({file})" for code, file in found if not acts.known(code)})
    assert not untold, f"no sentence in <slice>/acts.py for {', '.join(untold)}"


def test_every_act_is_named_after_its_slice():
    labels = {config.label for config in apps.get_app_configs()}
    for code, file in literal_acts():
        assert code.split(".")[0] in labels, f"{code} in {file}"


def test_watched_models_exist_and_the_important_ones_are_watched():
    tables = watched.watched_tables()
    assert "files_storedfile" in tables
    assert "accounts_grantrow" in tables


@pytest.mark.parametrize("language", ["zh", "en"])
def test_no_sentence_is_broken(monkeypatch, language):
    monkeypatch.setattr(acts, "_acts", {})
    acts.discover()
    for code in acts._acts:
        told = acts.sentence(code, language, {})
        assert told.strip()
        assert told != code
