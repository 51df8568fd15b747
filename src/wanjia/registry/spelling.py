"""By which texts a name is found: its parts, its pinyin, its initials.

A token of a name is a text it is found by the beginning of. Of 黄建国 these are 建国, 国,
huangjianguo, jianguo, hjg and jg; that the name itself begins so needs no token. A character with
several readings gives a token for each. What `fits` says of one name, the table of tokens
(`NameToken`) says of all; the two are the same by construction, and a test holds them to it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import islice, product
from re import findall

from wanjia.kernel import pinyin
from wanjia.kernel.names import DOT, match_form

LONGEST_TOKEN = 60
MOST_SPELLINGS = 8  # of one name; 覃单解 has as many
SHORT = 10  # characters: no token of it is cut off
MOST_PARTS = 20  # a longer name is found by its first characters

# Surnames of two characters: what stands behind them is the given name.
TWO_CHARACTERS = frozenset(
    findall(
        "..",
        "欧阳上官司马司徒司空诸葛东方皇甫尉迟公孙慕容令狐夏侯独孤南宫西门端木百里呼延宇文长孙轩辕闻人赫连澹台"
        "公冶宗政濮阳淳于单于太叔申屠仲孙钟离鲜于闾丘万俟第五东郭南门公羊谷梁拓跋左丘",
    )
)


def tokens(name: str) -> list[str]:
    """Every text that `name`, in the form names are compared in, is found by the beginning of besides itself."""
    each = [pinyin.readings(character) for character in name]
    if not all(each) or not 1 < len(each) <= SHORT:
        return _tokens_of_any(name)
    given = 2 if len(name) > 2 and name[:2] in TWO_CHARACTERS else 1  # noqa: PLR2004 - characters
    found = [name[at:] for at in range(1, len(name))]
    if max(map(len, each)) == 1:  # nearly every name
        return found + _spelt([syllable for (syllable,) in each], given)
    for spelt_so in islice(product(*each), MOST_SPELLINGS):
        found += _spelt(spelt_so, given)
    return list(dict.fromkeys(found))


def _spelt(syllables: Sequence[str], given: int) -> list[str]:
    """A name and its given name, from its character `given` on, as pinyin and as initials."""
    initials = "".join([syllable[0] for syllable in syllables])
    found = ["".join(syllables), "".join(syllables[given:]), initials]
    if len(initials) - given > 1:  # of one character the pinyin begins so anyway
        found.append(initials[given:])
    return found


def _tokens_of_any(name: str) -> list[str]:
    """The same of names with a dot, with letters, with characters nobody knows how to read; and of long ones."""
    bare = name.replace(DOT, "")
    found = [name[at:] for at in range(1, min(len(name), MOST_PARTS)) if name[at] != DOT]
    if bare != name:
        found += [bare[at:] for at in range(min(len(bare), MOST_PARTS))]
    given = {at - name[:at].count(DOT) for at in range(2, len(name)) if name[at - 1] == DOT} or {1}
    each = [pinyin.readings(character) or (_letter(character),) for character in bare]
    for spelt in islice(product(*each), MOST_SPELLINGS):
        for at in (0, *sorted(given)):
            found += ["".join(spelt[at:]), "".join([syllable[0] for syllable in spelt[at:] if syllable])]
    return list(dict.fromkeys(token[:LONGEST_TOKEN] for token in found if token))


def _letter(character: str) -> str:
    return character.lower() if character.isascii() and character.isalpha() else ""


@dataclass(frozen=True, slots=True)
class Typed:
    """A text somebody typed to find a name by: in the form of names, and as pinyin or initials if it may be that."""

    form: str
    letters: tuple[str, ...]

    @classmethod
    def of(cls, text: str) -> Typed:
        return cls(match_form(text)[:LONGEST_TOKEN], tuple(each[:LONGEST_TOKEN] for each in pinyin.typed(text)))

    @property
    def beginnings(self) -> tuple[str, ...]:
        """What a token must begin with one of."""
        return (self.form, *self.letters) if self.form else self.letters

    def fits(self, name: str) -> bool:
        """Whether a name, in the form names are compared in, is found by it."""
        if not self.form:
            return False
        if name.startswith(self.form):
            return True
        if not self.letters and len(name) <= MOST_PARTS:  # characters are found wherever they stand
            return self.form in name or self.form in name.replace(DOT, "")
        return self._may_begin(name) and any(token.startswith(self.beginnings) for token in tokens(name))

    def _may_begin(self, name: str) -> bool:
        """Whether some character of the name begins so; a look at its tokens takes five times as long."""
        firsts = {text[0] for text in self.letters}
        each = [pinyin.readings(character) for character in name]
        return not all(each) or any(syllable[0] in firsts for syllables in each for syllable in syllables)

    def is_whole(self, name: str) -> bool:
        """Whether the name, or one of its tokens, is exactly this."""
        return name == self.form or any(token in self.beginnings for token in tokens(name))
