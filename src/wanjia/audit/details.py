"""Where the detail rows of bulk acts live, so that their root can be computed again.

An entry over many rows commits to the Merkle root of their digests. The rows stay with their
owner, each with its own salt; the owner declares here how a row turns back into the payload it
was hashed from:

    register_details("registry.Change", change_payload, order="seq")

Rows that are no model (a file's lines, the access store) declare a `DetailSource` of their own.

A row whose content was erased keeps its digest: it is told as (digest, None), and the root over
all rows is still found.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.apps import apps

from wanjia.audit.rules import JSON
from wanjia.scope.reach import stamped
from wanjia.scope.system import system_viewer

Row = tuple[bytes, Mapping[str, JSON] | None]
Rows = Callable[[UUID], Iterable[Row]]


@dataclass(frozen=True, slots=True)
class DetailSource:
    """Yields (salt, payload) of an event's detail rows, or (digest, None), in the order they were recorded in."""

    label: str
    rows: Rows


_sources: dict[str, DetailSource] = {}


def register_source(source: DetailSource) -> None:
    """Make detail rows that are no model known."""
    _sources[source.label] = source


def register_details(  # noqa: PLR0913 - where a row keeps what, all by name
    model_label: str,
    payload_of_row: Callable[[Any], Mapping[str, JSON]],
    *,
    order: str = "seq",
    event: str = "event_id",
    salt: str = "salt",
    tombstone: str = "",
) -> None:
    """Declare that rows of a model are details: `order` repeats the order they were recorded in.

    `tombstone` names the column that holds the digest of a row whose content was erased.
    """

    def rows(event_id: UUID) -> Iterator[Row]:
        # the base manager: a root is over all rows of the act, whoever asks; only the verdict leaves
        found = apps.get_model(model_label)._base_manager.filter(**{event: event_id}).order_by(order)
        found = stamped(found, system_viewer("audit.details"))
        for row in found.iterator(chunk_size=5_000):
            kept = getattr(row, tombstone) if tombstone else None
            yield (bytes(kept), None) if kept is not None else (bytes(getattr(row, salt)), payload_of_row(row))

    register_source(DetailSource(model_label, rows))


def sources() -> tuple[DetailSource, ...]:
    """Every declared source, by label."""
    return tuple(_sources[label] for label in sorted(_sources))
