"""The reference tells the truth about the code."""

import subprocess
import sys
from pathlib import Path

from wanjia.kernel.errors import Refusal, Sentence, all_refusals

ROOT = Path(__file__).parents[2]


def test_every_refusal_is_in_the_reference():
    """Run apart: the page lists what the package defines, not what tests define."""
    done = subprocess.run([sys.executable, "tools/reference.py", "--check"], cwd=ROOT, check=False, capture_output=True)

    assert done.returncode == 0, f"run: python tools/reference.py\n{done.stderr.decode()[-2000:]}"


def test_codes_are_unique_and_named_after_their_slice():
    codes = [kind.code for kind in all_refusals() if kind.__module__.startswith("wanjia.")]

    assert len(codes) == len(set(codes))
    for kind in all_refusals():
        if kind.__module__.startswith("wanjia."):
            assert kind.code.split(".")[0] == kind.__module__.split(".")[1]


def test_both_languages_speak_of_the_same_facts():
    for kind in all_refusals():
        facts = dict.fromkeys(kind.facts, "1")
        for sentence in (kind.what, kind.cure):
            assert isinstance(sentence, Sentence)
            assert sentence.text("zh", **facts)
            assert sentence.text("en", **facts)
        assert issubclass(kind, Refusal)
