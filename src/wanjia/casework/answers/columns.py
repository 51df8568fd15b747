"""What stands in which column of the form. Titles in both languages are read back."""

from __future__ import annotations

import hmac
from dataclasses import dataclass

from django.utils.crypto import salted_hmac

from wanjia.kernel.errors import Sentence

SIGNATURE = 20  # letters of the check's keyed digest


NOTHING = Sentence("", "")


@dataclass(frozen=True, slots=True)
class Title:
    """One column: the key its cells are kept under, its words, and what to know while filling it in."""

    key: str
    words: Sentence
    width: int
    filled: bool = False
    note: Sentence = NOTHING


TITLES = (
    Title("case_no", Sentence("核查件编号", "Case no."), 11),
    Title("household", Sentence("户编号", "Household"), 11),
    Title("person", Sentence("姓名", "Name"), 10),
    Title("village", Sentence("所在村", "Village"), 16),
    Title("suspected", Sentence("疑似问题", "What is suspected"), 40),
    Title("checks", Sentence("核实要点", "What to check"), 36),
    Title("due_on", Sentence("期限", "Due"), 11),
    Title("proof", Sentence("已传材料", "Filed proof"), 9),
    Title("outcome", Sentence("核查结果", "Outcome"), 26, filled=True),
    Title(
        "visited_on", Sentence("入户日期", "Date of visit"), 12, filled=True,
        note=Sentence("入户或核对材料的日期", "When you were at the door, or looked at the papers"),
    ),
    Title(
        "met", Sentence("见到何人", "Whom you met"), 14, filled=True,
        note=Sentence("例如：户主、长子、村支书。不要写身份证号码。", "The head, the eldest son … No identity number."),
    ),
    Title(
        "note", Sentence("核查说明", "Note"), 40, filled=True,
        note=Sentence("写明看到什么、依据什么；不要写身份证号码。", "What you saw, and why. No identity number."),
    ),
    Title(
        "until", Sentence("例外有效期至", "Exempt until"), 12, filled=True,
        note=Sentence("只在符合政策例外时填写，可不填", "Only for an exemption; may stay empty"),
    ),
    Title("change", Sentence("整改方式", "Correction"), 24, filled=True),
    Title("check", Sentence("校验（请勿改动）", "Check (do not touch)"), 12),
)  # fmt: skip
BY_KEY = {title.key: title for title in TITLES}
BY_WORDS = {words: title.key for title in TITLES for words in (title.words.zh, title.words.en)}
LAST = TITLES[-1]  # what a correction asks for stands before it, a column for each field there is
ASKED = "?"  # begins the key of such a column, after which come its words
PROBLEM = Sentence("问题", "Problem")


def words_of(key: str) -> Sentence:
    """What the column with a key is called."""
    return Sentence(key[1:], key[1:]) if key.startswith(ASKED) else BY_KEY[key].words


SIGNED = ("household", "person", "village", "suspected")


def check_of(case_no: int, version: int, shown: dict[str, str]) -> str:
    """What ties a row to its case as it stood: `number.version.digest`, keyed.

    The digest covers what the reader sees of the case too, so a name moved to another row is found.
    """
    words = "\n".join("".join(shown.get(key, "").split()) for key in SIGNED)
    digest = salted_hmac("casework.answers", f"{case_no}\n{version}\n{words}", algorithm="sha256").hexdigest()
    return f"{case_no}.{version}.{digest[:SIGNATURE]}"


def version_in(check: str, case_no: int, shown: dict[str, str]) -> int | None:
    """The version a row was made for; None if its check does not belong to what stands beside it."""
    number, _, rest = check.partition(".")
    version, _, _ = rest.partition(".")
    if number != str(case_no) or not (version.isascii() and version.isdigit() and len(version) < 10):  # noqa: PLR2004 - a column's integer
        return None
    genuine = hmac.compare_digest(check.encode(), check_of(case_no, int(version), shown).encode())
    return int(version) if genuine else None
