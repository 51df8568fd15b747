import gzip
import json
import re
import shutil
from pathlib import Path

import pytest
from django.conf import settings
from django.test import Client

from wanjia.ui import assets

ROOT = Path(__file__).parents[2]
TEMPLATES = sorted((ROOT / "src/wanjia").glob("*/templates/**/*.html"))


@pytest.fixture
def unbuilt(tmp_path, monkeypatch):
    monkeypatch.setattr(assets, "FOLDER", tmp_path)
    return tmp_path


def test_the_front_end_is_built_and_packed():
    entry = assets.entry("office.js")
    assert entry is not None
    static = assets.FOLDER.parent
    for path in (entry.script, *entry.styles):
        assert gzip.decompress((static / f"{path}.gz").read_bytes()) == (static / path).read_bytes()


def test_an_ordinary_page_s_script_and_style_stay_small():
    entry = assets.entry("office.js")
    static = assets.FOLDER.parent
    script = (static / f"{entry.script}.gz").stat().st_size
    style = sum((static / f"{path}.gz").stat().st_size for path in entry.styles)
    assert script < 45_000
    assert style < 45_000


@pytest.mark.django_db
def test_static_files_are_served_packed_and_for_ever():
    entry = assets.entry("office.js")
    answer = Client().get(f"{settings.STATIC_URL}{entry.script}", headers={"Accept-Encoding": "gzip"})
    assert answer.status_code == 200
    assert answer["Content-Encoding"] == "gzip"
    assert "immutable" in answer["Cache-Control"]
    b"".join(answer.streaming_content)
    answer.close()


def test_the_scripts_evaluate_nothing_in_our_own_code():
    for path in (ROOT / "frontend/src").glob("*.ts"):
        text = path.read_text("utf-8")
        assert not re.search(r"\beval\(|new Function|innerHTML", text), path.name


def test_every_icon_a_page_names_is_drawn():
    drawn = json.loads((assets.FOLDER / "icons.json").read_text("utf-8"))
    for template in TEMPLATES:
        for name in re.findall(r"""{% icon ["']([^"']+)["']""", template.read_text("utf-8")):
            assert name in drawn, f"{template.name}: {name}"


def test_no_page_carries_inline_script_or_style():
    for template in TEMPLATES:
        text = template.read_text("utf-8")
        stands_alone = template.name.endswith("_paper.html")  # a file handed out, which brings its own style
        assert stands_alone or "<style" not in text, template
        assert not re.search(r"\sstyle=", text), template
        assert not re.search(r"\son[a-z]+=", text), template
        assert not re.search(r"<script(?![^>]*\bsrc=)(?![^>]*application/json)", text), template
        assert not re.search(r"https?://(?!www\.w3\.org)", text), f"{template}: an address elsewhere"


def test_without_the_build_a_check_says_how_to_get_it(unbuilt):
    [warning] = assets.front_end_is_built()
    assert warning.id == "ui.W001"
    assert "make setup" in warning.hint
    assert assets.icon("house") == ""


def test_a_new_build_is_noticed(unbuilt):
    assert assets.entry("office.js") is None
    manifest = {"src/office.ts": {"file": "office.1.js", "css": ["office.1.css"]}}
    (unbuilt / "manifest.json").write_text(json.dumps(manifest))
    assert assets.entry("office.js") == assets.Entry("ui/office.1.js", ("ui/office.1.css",))
    shutil.rmtree(unbuilt)
