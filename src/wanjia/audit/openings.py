"""What is handed out of the log so that somebody else can verify it without us.

Of an entry: the public leaf, its opening (salt and content), and those detail rows that concern
the reader's matter, each with its salt and its way up to the root the entry committed to. The
other rows of a bulk act are somebody else's and stay here; the way shows that his are among them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from wanjia.audit import rules
from wanjia.audit.details import sources
from wanjia.audit.models import Opening, Outbox
from wanjia.audit.queries import readable
from wanjia.audit.rules import JSON
from wanjia.scope.system import system_viewer
from wanjia.scope.viewer import Viewer
from wanjia.tlog.merkle import inclusion_proofs, root

OPEN, WITHHELD, ERASED = "open", "withheld", "erased"
CHUNK = 500  # entries a statement names
Wanted = Callable[[Mapping[str, JSON]], bool]


@dataclass(frozen=True, slots=True)
class OpenedRow:
    """A detail row of a bulk act: where it stands among the rows, its salt and content, its way to the root."""

    index: int
    salt: bytes
    payload: Mapping[str, JSON]
    proof: Sequence[bytes]


@dataclass(frozen=True, slots=True)
class Opened:
    """An entry as far as its reader may open it; `entry` is the leaf's text, None where it is gone."""

    event_id: UUID
    state: str
    entry: str | None
    salt: bytes = b""
    payload: Mapping[str, JSON] | None = None
    rows: Sequence[OpenedRow] = ()


def opened(viewer: Viewer, event_ids: Iterable[UUID], wanted: Wanted) -> Iterator[Opened]:
    """The entries, each opened where `viewer` may read it; of bulk acts the rows whose content is `wanted`.

    An entry he may not read, such as a dispatch over areas beyond his own, is withheld: its leaf
    alone is handed out. An act whose rows no longer yield its root comes without any.
    """
    ids = list(event_ids)
    for start in range(0, len(ids), CHUNK):
        piece = ids[start : start + CHUNK]
        rows = Opening.objects.visible_to(system_viewer("audit.trail")).filter(event_id__in=piece)
        found = {row.event_id: row for row in rows}
        may_read = readable(viewer, found.values())
        leaves = dict(Outbox.objects.filter(event_id__in=piece).values_list("event_id", "entry"))
        for event_id in piece:
            leaf = leaves.get(event_id)
            entry = None if leaf is None else bytes(leaf).decode()
            row = found.get(event_id)
            if row is None or event_id not in may_read:
                yield Opened(event_id, WITHHELD, entry)
            elif row.payload is None or row.salt is None:
                yield Opened(event_id, ERASED, entry)
            else:
                details = _rows(event_id, row.payload, wanted)
                yield Opened(event_id, OPEN, entry, bytes(row.salt), row.payload, details)


def _rows(event_id: UUID, payload: Mapping[str, JSON], wanted: Wanted) -> list[OpenedRow]:
    expected = payload.get("details")
    if not isinstance(expected, dict):
        return []
    for source in sources():
        digests: list[bytes] = []
        mine: list[tuple[int, bytes, Mapping[str, JSON]]] = []
        for salt, content in source.rows(event_id):
            if content is not None and wanted(content):
                mine.append((len(digests), salt, content))
            digests.append(rules.row_digest(salt, content))
        if len(digests) == expected["count"] and root(digests).hex() == expected["root"]:
            proofs = inclusion_proofs(digests, [index for index, _, _ in mine])
            return [OpenedRow(index, salt, content, proofs[index]) for index, salt, content in mine]
    return []
