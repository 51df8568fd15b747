"""The dictionary of names: what is learnt when somebody is called so, and the nightly comparison with the people."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
from django.db import transaction
from django.db.models import Exists, OuterRef, QuerySet

from wanjia.registry.models import NameToken, Person
from wanjia.registry.spelling import tokens
from wanjia.scope import bulk
from wanjia.scope.reach import stamped
from wanjia.scope.system import system_viewer

AT_ONCE = 2_000  # names; the nightly work lets others write in between

EVERYONE = system_viewer("registry.names")


def tokens_of(names: Iterable[str]) -> pa.Table:
    """The dictionary's rows for names in the form they are compared in, in the order of its index.

    In that order, so that an index grows at few places, and two acts that learn the same names wait for
    each other instead of standing in each other's way.
    """
    found, of = list[str](), list[str]()
    for name in names:
        each = tokens(name)
        found += each
        of += [name] * len(each)
    rows = pa.table({"token": pa.array(found, pa.string()), "name_match": pa.array(of, pa.string())})
    return rows.take(pc.sort_indices(rows, [("token", "ascending"), ("name_match", "ascending")]))


def learn(rows: pa.Table) -> None:
    """Take `tokens_of` names into the dictionary, as far as it does not know them. Needs a transaction."""
    bulk.insert(NameToken, columns_of(rows), but_known=True)


def columns_of(rows: pa.Table) -> dict[str, pa.ChunkedArray]:
    """The columns of `tokens_of` names, by field."""
    return {name: rows[name] for name in rows.column_names}


def tidy_names() -> int:
    """Forget names nobody bears any more, and learn any the dictionary lacks; returns how many were forgotten.

    Between an act that meets a name it finds known and its end, the name may be forgotten here: the
    next night brings it back, and whoever types the beginning of the name finds it meanwhile.
    """
    people = Person.objects.visible_to(EVERYONE)
    borne: QuerySet[Any, Any] = people.order_by().values("name_match")
    known: QuerySet[Any, Any] = stamped(NameToken.objects.order_by(), EVERYONE).values("name_match")
    lacking: QuerySet[Any, Any] = stamped(borne.difference(known), EVERYONE)
    for names in _in_parts(lacking.values_list("name_match", flat=True).iterator()):
        with transaction.atomic():
            learn(tokens_of(names))
    unborne: QuerySet[Any, Any] = stamped(known.difference(borne), EVERYONE)
    gone = list(unborne.values_list("name_match", flat=True).iterator())
    nobody = ~Exists(people.filter(name_match=OuterRef("name_match")))
    for names in _in_parts(iter(gone)):
        with transaction.atomic():
            stamped(NameToken.objects.filter(nobody, name_match__among=names), EVERYONE).delete()
    return len(gone)


def _in_parts(names: Iterator[str]) -> Iterator[list[str]]:
    while part := list(islice(names, AT_ONCE)):
        yield part
