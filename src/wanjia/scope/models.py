"""Scoped rows and the holdings that relate people to single rows.

A `ScopedModel` says once how its rows are cut (`scope_rule`); its manager then offers rows
only through `.visible_to(viewer)`. Django's own base manager stays for foreign keys and
deletes; `Model.objects.all()` is refused.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from functools import lru_cache
from typing import Any, ClassVar, Self, TypeVar, cast

from django.apps import apps
from django.db import models
from django.db.models import Exists, F, OuterRef, Q

from wanjia.kernel import clock
from wanjia.scope.areas import EVERYWHERE, AreaRange
from wanjia.scope.errors import NotVisible, Unscoped
from wanjia.scope.reach import stamped
from wanjia.scope.viewer import Grant, Relation, Viewer

NOTHING = Q(pk__in=())
# Not Q(): `NOTHING | Q()` is NOTHING, because Django takes an empty condition for none at all.
EVERYTHING = ~NOTHING


@dataclass(frozen=True, slots=True)
class Held:
    """Rows reached through a holding: `field` of the row equals the subject of kind `kind`."""

    kind: str
    field: str


@dataclass(frozen=True, slots=True)
class Via:
    """Rows whose area stands in another table: `model.key` points at the row, `model.area` is its area."""

    model: str
    key: str
    area: str


@dataclass(frozen=True, slots=True, eq=False)
class ScopeRule:
    """How rows of a model are cut to a viewer.

    `action` is what a role must allow for the row to be read at all. `area` names the field
    with the full division code (or a `Via`, or several of either: a row is wherever one of them
    says); `department` the field with the department; `held` the relations that go through
    holdings. A relation the rule does not name shows no row.
    """

    action: str
    area: str | Via | tuple[str | Via, ...]
    department: str = ""
    held: Mapping[Relation, Held] = field(default_factory=dict)


class Holding(models.Model):
    """A person holds a subject (household, case …) under a relation, for a time.

    Written by the slices that create the relation: pairing, case assignment. Read by EXISTS.
    """

    user_id = models.BigIntegerField()
    relation = models.CharField(max_length=20, choices=[(item.value, item.value) for item in Relation])
    subject_kind = models.CharField(max_length=20)
    subject_id = models.BigIntegerField()
    valid_from = models.DateField()
    valid_to = models.DateField(null=True)  # first day on which it no longer holds

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["user_id", "relation", "subject_kind", "subject_id"],
                condition=Q(valid_to=None),
                name="holding_one_open_per_user_and_subject",
            ),
            models.CheckConstraint(
                condition=Q(valid_to=None) | Q(valid_to__gte=F("valid_from")),
                name="holding_ends_after_it_begins",
            ),
        ]
        indexes = [models.Index(fields=["subject_kind", "subject_id", "user_id"], name="holding_by_subject")]

    def __str__(self) -> str:
        return f"{self.user_id} {self.relation} {self.subject_kind} {self.subject_id}"


class KeyFingerprint(models.Model):
    """Which key files this database was written with; tells a wrong file before it does harm."""

    name = models.CharField(max_length=40, primary_key=True)  # "person.key/1"
    fingerprint = models.CharField(max_length=64)
    first_used_on = models.DateField()

    def __str__(self) -> str:
        return self.name


def range_q(name: str, area: AreaRange) -> Q:
    """The rows whose field `name` lies in `area`, as a range an index answers."""
    if area == EVERYWHERE:
        return EVERYTHING
    wanted = Q(**{f"{name}__gte": area.lo})
    return wanted if area.hi is None else wanted & Q(**{f"{name}__lt": area.hi})


def _area_q(rule: ScopeRule, area: AreaRange) -> Q:
    places = rule.area if isinstance(rule.area, tuple) else (rule.area,)
    inside = NOTHING
    for place in places:
        inside |= _place_q(place, area)
    return inside


def _place_q(place: str | Via, area: AreaRange) -> Q:
    if isinstance(place, str):
        return range_q(place, area)
    if area == EVERYWHERE:
        return EVERYTHING
    # IN, not EXISTS: an index by area answers it once, whatever the number of rows asked about.
    inside = apps.get_model(place.model)._base_manager.filter(range_q(place.area, area))
    return Q(pk__in=inside.values(place.key))


def _grant_q(rule: ScopeRule, viewer: Viewer, grant: Grant, on: date) -> Q:
    area = _area_q(rule, grant.area)
    if grant.relation is Relation.ALL:
        return area
    if grant.relation is Relation.OWN_DEPARTMENT:
        return area & Q(**{rule.department: grant.department}) if rule.department and grant.department else NOTHING
    held = rule.held.get(grant.relation)
    if held is None:
        return NOTHING
    holdings = Holding.objects.filter(
        Q(valid_to=None) | Q(valid_to__gt=on),
        user_id=grant.on_behalf_of or viewer.user_id,
        relation=grant.relation.value,
        subject_kind=held.kind,
        subject_id=OuterRef(held.field),
        valid_from__lte=on,
    )
    return area & Q(Exists(holdings))


def visible_q(rule: ScopeRule, viewer: Viewer, action: str | None = None) -> Q:
    """The condition that cuts rows under `rule` to what `viewer` may reach with `action`."""
    return EVERYTHING if viewer.is_system else _cut(rule, viewer, action or rule.action, clock.today())


def holds(rule: ScopeRule, viewer: Viewer, row: Mapping[str, Any], action: str | None = None) -> bool:
    """Whether `viewer` may reach with `action` a row that is not in the database, such as one of a serving index.

    `row` has the fields its rule names, the area as a text. The same answer as `visible_q` gives of an equal row.
    """
    if viewer.is_system:
        return True
    on = clock.today()
    return any(_held(rule, viewer, grant, row, on) for grant in viewer.grants_for(action or rule.action))


def _held(rule: ScopeRule, viewer: Viewer, grant: Grant, row: Mapping[str, Any], on: date) -> bool:
    if not isinstance(rule.area, str) or row[rule.area] not in grant.area:
        return False
    if grant.relation is Relation.ALL:
        return True
    if grant.relation is Relation.OWN_DEPARTMENT:
        return bool(rule.department and grant.department) and row[rule.department] == grant.department
    held = rule.held.get(grant.relation)
    if held is None:
        return False
    return Holding.objects.filter(
        Q(valid_to=None) | Q(valid_to__gt=on),
        user_id=grant.on_behalf_of or viewer.user_id,
        relation=grant.relation.value,
        subject_kind=held.kind,
        subject_id=row[held.field],
        valid_from__lte=on,
    ).exists()


@lru_cache(maxsize=512)
def _cut(rule: ScopeRule, viewer: Viewer, action: str, on: date) -> Q:
    """Asked a dozen times for a page. Everything it depends on is in its arguments, every grant in the viewer."""
    allowed = NOTHING
    for grant in viewer.grants_for(action):
        allowed |= _grant_q(rule, viewer, grant, on)
    return allowed


M = TypeVar("M", bound=models.Model)


class ScopedManager(models.Manager[M]):
    """Offers rows only for somebody: `.visible_to(viewer)`, `.get_visible(viewer, …)`; writes are plain."""

    def get_queryset(self) -> models.QuerySet[M]:
        raise Unscoped(model=self.model._meta.label)

    def _rows(self) -> models.QuerySet[M]:
        rows = super().get_queryset()
        # Django's related managers (household.memberships) are built on top of this class: the
        # method above is below them and knows nothing of their filter
        related = getattr(self, "_apply_rel_filters", None)
        return rows if related is None else cast("models.QuerySet[M]", related(rows))

    def visible_to(self, viewer: Viewer, action: str | None = None) -> models.QuerySet[M]:
        """The rows `viewer` may reach; `action` narrows to those on which he may do that."""
        rule = cast("type[ScopedModel]", self.model).scope_rule
        return stamped(self._rows().filter(visible_q(rule, viewer, action)), viewer)

    def get_visible(self, viewer: Viewer, *, action: str | None = None, **lookup: Any) -> M:
        """Fetch one row with its permission in one call; a foreign row and no row refuse alike.

        Raises NotVisible.
        """
        row = self.visible_to(viewer, action).filter(**lookup).first()
        if row is None:
            raise NotVisible(kind=self.model._meta.model_name or "")
        return row

    def create(self, **values: Any) -> M:
        """Insert one row. Writing reveals nothing, so it needs no viewer here."""
        row = self.model(**values)
        row.save(force_insert=True, using=self.db)
        return row

    def bulk_create(self, *args: Any, **kwargs: Any) -> list[M]:
        """Insert many rows."""
        return self._rows().bulk_create(*args, **kwargs)


class ScopedModel(models.Model):
    """A table whose rows exist only for a viewer."""

    scope_rule: ClassVar[ScopeRule]

    objects: ClassVar[ScopedManager[Self]] = ScopedManager()

    class Meta:
        abstract = True
