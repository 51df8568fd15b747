"""Who is looking: a person with grants, or a named piece of background work.

A grant is (role, area range, relation, validity). Validity is judged when the viewer is
made, so a viewer holds only grants in force; it lives for one request or one job.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from enum import StrEnum

from wanjia.scope.areas import EVERYWHERE, AreaRange, merged


class Relation(StrEnum):
    """How a grant's holder stands to the rows of the area."""

    ALL = "all"
    OWN_DEPARTMENT = "own_department"
    OWN_HOUSEHOLDS = "own_households"
    OWN_CASES = "own_cases"


@dataclass(frozen=True, slots=True)
class Grant:
    """What one role lets its holder do, where, and to which rows."""

    role: str
    actions: frozenset[str]
    area: AreaRange
    relation: Relation = Relation.ALL
    department: str = ""
    on_behalf_of: int = 0  # the colleague whose grant it is, while its holder stands in for him


@dataclass(frozen=True, slots=True)
class Viewer:
    """The reader every query, count, export and job is cut to.

    `user_id` is 0 for a system viewer; `system` then names the work and appears in
    `wanjia.scope.system.SYSTEM_VIEWERS` with its reason.
    """

    user_id: int
    name: str
    grants: tuple[Grant, ...] = ()
    system: str = ""
    language: str = field(default="zh", compare=False)

    @property
    def is_system(self) -> bool:
        return bool(self.system)

    def grants_for(self, action: str) -> tuple[Grant, ...]:
        """The grants whose role may do `action`."""
        return tuple(grant for grant in self.grants if action in grant.actions)

    def may(self, action: str, area: str | None = None) -> bool:
        """Whether some grant allows `action`, reaching over `area` if one is named, to whichever rows."""
        if self.is_system:
            return True
        wanted = None if area is None else AreaRange.of(area)
        return any(wanted is None or grant.area.covers(wanted) for grant in self.grants_for(action))

    def may_throughout(self, action: str, area: str) -> bool:
        """Whether some grant allows `action` on every row of `area`, not only on rows of the holder's own.

        What `may` answers is whether it is worth asking; a service that then writes rows it did
        not fetch with `visible_to` asks this.
        """
        wanted = AreaRange.of(area)
        return self.is_system or any(
            grant.relation is Relation.ALL and grant.area.covers(wanted) for grant in self.grants_for(action)
        )

    def may_at(self, action: str, area: str) -> bool:
        """Whether some grant allows `action` with exactly this area as its seat.

        A case waiting at the city is passed on by the city's own office, not by the
        province's, though the province's range covers it.
        """
        return self.is_system or any(grant.area == AreaRange.of(area) for grant in self.grants_for(action))

    def ranges(self, action: str, relation: Relation = Relation.ALL) -> tuple[AreaRange, ...]:
        """Where the viewer may do `action` with this relation, merged; cuts lake and serving reads."""
        if self.is_system:
            return (EVERYWHERE,)
        return merged(grant.area for grant in self.grants_for(action) if grant.relation is relation)

    def departments(self, action: str) -> frozenset[str]:
        """Departments whose own rows the viewer may reach with `action`."""
        return frozenset(
            grant.department for grant in self.grants_for(action) if grant.relation is Relation.OWN_DEPARTMENT
        )

    @property
    def stands_in_for(self) -> frozenset[int]:
        """The colleagues whose grants the viewer holds for the time being."""
        return frozenset(grant.on_behalf_of for grant in self.grants if grant.on_behalf_of)

    def acting_for(self, user_id: int) -> Viewer:
        """The same viewer with the grants of one colleague only; with his own alone for 0."""
        return replace(self, grants=tuple(grant for grant in self.grants if grant.on_behalf_of == user_id))

    @property
    def home_area(self) -> str:
        """The widest area the viewer holds any grant in; where his pages begin."""
        lows = sorted((grant.area.lo for grant in self.grants), key=lambda code: (len(code), code))
        return lows[0] if lows else ""


ANONYMOUS = Viewer(user_id=0, name="")
