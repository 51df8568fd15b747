"""What the preview shows of a delivery: a few values of each column and of each problem, masked."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from wanjia.protection import masking
from wanjia.sources.contracts import Field
from wanjia.sources.intake.layout import Layout

SAMPLES = 3
LONGEST = 60

_RUINED = re.compile(r"[0-9]\.?[0-9]*[Ee]\+?[0-9]+")  # what it was can no longer be read from it


def masked(text: str, personal: str) -> str:
    """A value as it may stand on a screen, by its class of personal data."""
    shown = text if len(text) <= LONGEST else text[:LONGEST] + "…"
    match personal:
        case "none":
            return shown
        case "name":
            return masking.mask_name(shown)
        case "id":
            return shown if _RUINED.fullmatch(shown.strip()) else masking.mask_id(shown)
        case "phone":
            return masking.mask_phone(shown)
        case "account":
            return masking.mask_account(shown)
        case "plate":
            return shown[:2] + "***" + shown[-2:] if len(shown) > 5 else shown[:1] + "***" if shown else ""
        case _:
            return shown[:6] + "***" if len(shown) > 6 else masking.mask_all(shown)


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

    def note_row(self, line: int, cells: Sequence[str]) -> None:
        """Keep the first rows with a wrong number of columns; of their cells only how many there are."""
        kept = self.problems.setdefault(("", "columns"), [])
        if len(kept) < SAMPLES:
            kept.append({"line": line, "text": f"{len(cells)} / {self.layout.width}"})
