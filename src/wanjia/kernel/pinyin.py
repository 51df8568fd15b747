"""How Chinese characters are read and typed: syllables without tones, v for ü.

The table beside this file is made by `tools/readings.py`: some 42,000 characters, also those beyond
the basic plane, most with one reading; surnames and characters of names that people read in several
ways have all of them (覃 qin and tan).
"""

from __future__ import annotations

import re
import unicodedata
from functools import cache
from pathlib import Path

_BETWEEN = re.compile(r"[\s'’‘`·.\-]+")
_LETTERS = re.compile(r"[a-z]+")


@cache
def _table() -> dict[str, tuple[str, ...]]:
    found: dict[str, tuple[str, ...]] = {}
    for line in (Path(__file__).parent / "readings.txt").read_text("utf-8").splitlines():
        syllable, _, characters = line.partition("\t")
        alone = (syllable,)  # one for all its characters: most have no other
        for character in characters:
            found[character] = (*found[character], syllable) if character in found else alone
    return found


def readings(character: str) -> tuple[str, ...]:
    """The syllables a character is read as; none for what is not in the table.

    >>> readings("国"), readings("覃"), readings("?")
    (('guo',), ('qin', 'tan'), ())
    """
    return _table().get(character, ())


def typed(text: str) -> tuple[str, ...]:
    """What pinyin or initials as somebody typed them may mean, as they are compared; nothing for other text.

    >>> typed("Huáng jiàn-guó"), typed("lü"), typed("Lyu"), typed("黄jg")
    (('huangjianguo',), ('lv',), ('lyu', 'lv'), ())
    """
    marked = unicodedata.normalize("NFD", unicodedata.normalize("NFKC", text).lower()).replace("u\u0308", "v")
    plain = _BETWEEN.sub("", "".join(mark for mark in marked if not unicodedata.combining(mark)))
    if not _LETTERS.fullmatch(plain):
        return ()
    # passports write lü and nü so; 安玉 is anyu all the same
    return (plain, plain.replace("yu", "v", 1)) if plain.startswith(("lyu", "nyu")) else (plain,)
