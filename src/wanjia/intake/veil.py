"""No identity number in clear in a text that is kept (design.md §5 Identity, domain.md §16.4).

Many counties use the head's number as the number of a certificate, and people write numbers into
any column. Each is replaced where it stands by its mask and its person_key (`masking.keyed`): the
text can still be compared and joined, and says nobody's number. A column costs a look at the
lengths of its texts. Only those long enough are searched, only those with a day in the right place
are read one by one, and those that are a number and nothing else, which is the rule where there
are many, are replaced at the speed of memory.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import date
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from wanjia.intake import rules
from wanjia.intake.identity import octets_of, plainly_sound
from wanjia.kernel import identity
from wanjia.protection import masking
from wanjia.protection.keys import Keyring

if TYPE_CHECKING:
    from wanjia.intake.fields import Taken

PROBLEM = "number_inside"

_RUN = rf"(?:[0-9０-９][ \-]?){{{identity.OLD_LENGTH - 1}}}[0-9０-９]"
# Of texts with such a run those that may hold a number: with a day in it, or written so that it must be read to tell.
_DAY = r"(?:0[1-9]|1[0-2])(?:0[1-9]|[12][0-9]|3[01])"
_LIKELY = "|".join(
    (
        rf"[0-9]{{6}}(?:19|20)[0-9]{{2}}{_DAY}[0-9]{{3}}[0-9Xx]",
        rf"(?:^|[^0-9])(?:[0-9]{{8}}{_DAY}[0-9]{{3}}|[0-9]{{12}}99[6-9])(?:[^0-9]|$)",
        r"[0-9][ \-][0-9Xx]|[０-９]",
    )
)
_OF_LENGTH = r"^[0-9]{17}[0-9X]$"
_STARS = np.frombuffer(b"*" * (identity.NUMBER_LENGTH - 10), np.uint8)
_REJECTS = np.array(rules.REJECTS, np.bool_)

Places = npt.NDArray[np.intp]


@dataclass(slots=True)
class Veiled:
    """Reads a column of texts as `read` does, and keeps no number in it; the rows that held one are warned of."""

    read: Callable[[pa.Array], Taken]
    today: date
    keyring: Keyring

    def __call__(self, texts: pa.Array) -> Taken:
        taken = self.read(texts)
        columns = dict(taken.columns)
        for name, values in columns.items():
            columns[name], at = veiled(values, self.today, self.keyring)
            at = at[~_REJECTS[taken.problems[at]]]
            taken.problems[at] = rules.NUMBER[PROBLEM]
        return replace(taken, columns=columns)


def veiled(values: pa.Array, today: date, keyring: Keyring) -> tuple[pa.Array, Places]:
    """A column of texts without numbers in clear, and where there were some."""
    at = np.flatnonzero(_true(pc.greater_equal(pc.binary_length(values), identity.OLD_LENGTH)))
    for pattern in (_RUN, _LIKELY):
        if len(at):
            at = at[_true(pc.match_substring_regex(values.take(pa.array(at)), pattern))]
    if not len(at):
        return values, at
    some = values.take(pa.array(at))
    alone = _true(pc.match_substring_regex(some, _OF_LENGTH))
    fresh, changed = np.full(len(at), None, object), np.zeros(len(at), np.bool_)
    if alone.any():
        _numbers(some.filter(pa.array(alone)), np.flatnonzero(alone), fresh, changed, today, keyring)
    if not alone.all():
        _texts(some.filter(pa.array(~alone)), np.flatnonzero(~alone), fresh, changed, today, keyring)
    at, replaced = at[changed], pa.array(fresh[changed], pa.string())
    where = np.zeros(len(values), np.bool_)
    where[at] = True
    return pc.replace_with_mask(values, pa.array(where), replaced), at


def _numbers(  # noqa: PLR0913 - what, where it stands, and where to put it
    texts: pa.Array,
    at: Places,
    fresh: npt.NDArray[np.object_],
    changed: npt.NDArray[np.bool_],
    today: date,
    ring: Keyring,
) -> None:
    """Replace those of some texts of eighteen characters that are sound numbers."""
    octets = octets_of(texts)
    sound, _ = plainly_sound(octets, today)
    if not sound.any():
        return
    keys = np.frombuffer(
        ring.person_keys(texts.filter(pa.array(sound))).to_numpy().astype(">i8").tobytes().hex().encode(), np.uint8
    ).reshape(-1, 16)
    kept = octets[sound]
    count = len(kept)
    written = np.hstack(
        [kept[:, :6], np.tile(_STARS, (count, 1)), kept[:, -4:], np.full((count, 1), ord("#"), np.uint8), keys]
    )
    size = written.shape[1]
    fresh[at[sound]] = np.ascontiguousarray(written).view(f"S{size}").ravel().astype("U").astype(object)
    changed[at[sound]] = True


def _texts(  # noqa: PLR0913 - as above
    texts: pa.Array,
    at: Places,
    fresh: npt.NDArray[np.object_],
    changed: npt.NDArray[np.bool_],
    today: date,
    ring: Keyring,
) -> None:
    """Replace the numbers inside other texts, each distinct text once."""
    coded = texts.dictionary_encode()
    told = [veiled_text(text, today, ring) for text in coded.dictionary.to_pylist()]
    codes = coded.indices.to_numpy()
    found = np.array([text is not None for text in told], np.bool_)[codes]
    fresh[at[found]] = np.array(told, object)[codes[found]]
    changed[at[found]] = True


def veiled_text(text: str, today: date, keyring: Keyring) -> str | None:
    """One text without the numbers in it; None if there is none."""
    plain = unicodedata.normalize("NFKC", text)
    places = identity.found_in(plain.upper() if len(plain.upper()) == len(plain) else plain, today)
    if not places:
        return None
    told, last = [], 0
    for first, end in places:
        number = plain[first:end].replace(" ", "").replace("-", "").upper()
        key = keyring.person_key(number)
        assert key is not None  # noqa: S101 - a sound number is no placeholder
        told += [plain[last:first], masking.keyed(number, key)]
        last = end
    return "".join([*told, plain[last:]])


def _true(flags: pa.Array) -> npt.NDArray[np.bool_]:
    return pc.fill_null(flags, fill_value=False).to_numpy(zero_copy_only=False)  # type: ignore[no-any-return]
