"""Hiding personal numbers in whatever is about to be written to a log.

The second lock. The first is that nothing logs personal values: encrypted ones print as
`<Sealed>`, refusals' facts hold none, exceptions are written without their text. What slips past
that in a message is most often a number, and numbers can be recognised: identity numbers (15, 18,
20, 22 characters), bank cards (16 to 19 digits), telephones. Any run of 15 digits or more is taken
for one of them; a person_key or a hamlet's code is hidden too, and nobody misses it.
"""

from __future__ import annotations

import re

HIDDEN = "[hidden]"

_DIGEST = r"(?<![0-9A-Za-z])(?:[0-9a-f]{128}|[0-9a-f]{64}|[0-9a-f]{40}|[0-9a-f]{32})(?![0-9A-Za-z])"
_UUID = r"(?<![0-9A-Za-z])[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}(?![0-9A-Za-z])"
# \d knows the full-width digits too; whoever writes 1 and 3 to 9 must name both forms.
_LONG = r"\d{15,}[Xx]?(?:\d[0-9A-Za-z]{0,3})?"
_CARD = r"\d{4}(?P<gap>[ -])\d{4}(?P=gap)\d{4}(?P=gap)\d{3,4}(?:(?P=gap)\d{1,3})?"
_GROUPED = rf"(?<![\dA-Za-z-])(?:\d{{6}}[ -]\d{{8}}[ -]\d{{3}}[\dXx]|{_CARD})(?!\d)"
_MOBILE = r"(?<!\d)[1１][3-9３-９]\d(?:\d{8}|[ -]\d{4}[ -]\d{4})(?!\d)"
_LANDLINE = r"(?<!\d)[0０]\d{2,3}-\d{7,8}(?!\d)"

_NUMBERS = re.compile("|".join((f"(?P<kept>{_DIGEST}|{_UUID})", _LONG, _GROUPED, _MOBILE, _LANDLINE)))


def redacted(text: str) -> str:
    """The text with every number that may be a person's replaced; digests and UUIDs stay."""
    return _NUMBERS.sub(_hide, text)


def _hide(found: re.Match[str]) -> str:
    kept = found["kept"]
    # a digest without a letter would be a run of digits, and those are hidden
    return kept if kept and not kept.replace("-", "").isdigit() else HIDDEN
