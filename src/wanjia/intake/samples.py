"""What the preview shows of a delivery: a few values of each column and of each problem, masked."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from wanjia.intake.contracts import Field
from wanjia.intake.layout import Layout
from wanjia.protection import masking

SAMPLES = 3
LONGEST = 60

_UNSEEN = re.compile(
    r"[\x00-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069\ufeff]+"
)  # turns text about, or no database keeps it
# Whoever's it is and wherever it stands; digits of full width too, and in groups.
_LONG_NUMBER = re.compile(r"\d(?:[ -]?\d){14,}(?:[ -]?[Xx])?")
_RUINED = re.compile(r"[0-9]\.?[0-9]*[Ee]\+?[0-9]+")  # what it was can no longer be read from it


def _mask_number(text: str) -> str:
    return text if _RUINED.fullmatch(text.strip()) else masking.mask_id(text)


def _ends(text: str, head: int, tail: int) -> str:
    """The first and last characters of a text that is long enough to hide something between them."""
    return f"{text[:head]}***{text[len(text) - tail :]}" if len(text) > head + tail else masking.mask_all(text)


_MASKS: Mapping[str, Callable[[str], str]] = {
    "none": str,
    "name": masking.mask_name,
    "id": _mask_number,
    "phone": masking.mask_phone,
    "account": masking.mask_account,
    "plate": lambda text: _ends(text, 2, 2),
    "address": lambda text: _ends(text, 6, 0),
}


def visible(text: str) -> str:
    """A text as a page shows it: not longer than a line, without what is not seen, long numbers masked."""
    shown = _UNSEEN.sub(" ", text[: 2 * LONGEST])
    shown = _LONG_NUMBER.sub(lambda found: masking.mask_id(found[0]), shown)[: LONGEST + 1]
    return shown if len(text) <= LONGEST else shown[:LONGEST] + "…"


def masked(text: str, personal: str) -> str:
    """A value as it may stand on a screen, by its class of personal data; of what is no known class only that it is."""
    shown = visible(text)
    return _MASKS.get(personal, masking.mask_all)(shown)


@dataclass(slots=True)
class Examples:
    """Collects the first few values while the delivery is read."""

    layout: Layout
    columns: list[list[str]] = field(default_factory=list)
    problems: dict[tuple[str, str], list[dict[str, Any]]] = field(default_factory=dict)

    def sample(self, data: pa.Table) -> None:
        """Keep the first rows' values of every column."""
        if self.columns or not data.num_rows:
            return
        few = data.slice(0, SAMPLES)
        for column in self.layout.columns:
            personal = column.field.personal if column.field else "unknown"
            self.columns.append([masked(str(text), personal) for text in few.column(column.position).to_pylist()])

    def note(
        self, item: Field, problem: str, lines: npt.NDArray[np.int32], texts: pa.Array, at: npt.NDArray[np.intp]
    ) -> None:
        """Keep the first rows with a problem."""
        kept = self.problems.setdefault((item.name, problem), [])
        for position in at[: SAMPLES - len(kept)]:
            kept.append({"line": int(lines[position]), "text": masked(texts[int(position)].as_py(), item.personal)})

    def note_lines(self, problem: str, lines: npt.NDArray[np.int32]) -> None:
        """Keep the first lines of which something is remarked as such."""
        kept = self.problems.setdefault(("", problem), [])
        kept += ({"line": int(line), "text": ""} for line in lines[: SAMPLES - len(kept)])

    def note_row(self, line: int, cells: Sequence[str]) -> None:
        """Keep the first rows with a wrong number of columns; of their cells only how many there are."""
        kept = self.problems.setdefault(("", "columns"), [])
        if len(kept) < SAMPLES:
            kept.append({"line": line, "text": f"{len(cells)} / {self.layout.width}"})
