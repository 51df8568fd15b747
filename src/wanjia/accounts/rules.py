"""What may be granted to whom. Pure: no database, no clock."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from wanjia.accounts.errors import BadUsername, DutiesSeparated, RolesMalformed, WrongLevel
from wanjia.kernel.codes import LENGTHS
from wanjia.kernel.errors import Sentence
from wanjia.scope.areas import level_of
from wanjia.scope.viewer import Relation

USERNAME = re.compile(r"[a-z0-9][a-z0-9.-]{2,59}")
_PERSONAL_NUMBER = re.compile(r"(?<![0-9])1[3-9][0-9]{9}(?![0-9])|[0-9]{15}")
LEVELS = ("province", "city", "county", "township", "village")
DUTIES = ("", "system", "security", "audit")


@dataclass(frozen=True, slots=True)
class RoleFacts:
    """A role as its file describes it."""

    code: str
    title: Sentence
    level: str
    levels: tuple[str, ...]
    relation: Relation
    actions: tuple[str, ...]
    narrowed: Mapping[str, str]
    gives: tuple[str, ...]
    duty: str


def is_username(text: str) -> bool:
    """Whether a text may be a login: of the right letters, and nobody's identity number or telephone.

    Logins stand in clear in lists, in the log and beside every failed attempt.
    """
    return USERNAME.fullmatch(text) is not None and _PERSONAL_NUMBER.search(text) is None


def require_username(username: str) -> None:
    """Refuse a login name that could be mistyped or misread. Raises BadUsername."""
    if not is_username(username):
        raise BadUsername(username=username)


def require_level(role: str, levels: Iterable[str], area_code: str) -> None:
    """Refuse a role for an area of a level it is not made for. Raises WrongLevel."""
    allowed = list(levels)
    if len(area_code) not in LENGTHS or level_of(area_code) not in allowed:
        raise WrongLevel(role=role, area=area_code, levels=", ".join(allowed))


def require_separate_duties(role: str, duty: str, held: Mapping[str, str]) -> None:
    """Refuse a second duty beside an administration duty; `held` is role → duty. Raises DutiesSeparated."""
    for other, other_duty in held.items():
        if (duty or other_duty) and duty != other_duty:
            raise DutiesSeparated(role=role, held=other)


def parse_roles(document: Mapping[str, object]) -> list[RoleFacts]:
    """The roles of `roles.yaml`, checked against its own words. Raises RolesMalformed."""
    words, roles = document.get("actions"), document.get("roles")
    if not isinstance(words, dict) or not isinstance(roles, dict):
        raise RolesMalformed(role="-", problem="actions and roles are missing")
    if strange := set(_texts(document.get("deputies", []))) - set(words):
        raise RolesMalformed(role="deputies", problem=f"unknown action: {', '.join(sorted(strange))}")
    facts = [_role(code, entry) for code, entry in roles.items()]
    for role in facts:
        _check(role, set(words), set(roles))
    return facts


def _role(code: str, entry: Mapping[str, object]) -> RoleFacts:
    known = {"zh", "en", "level", "levels", "relation", "actions", "narrowed", "gives", "duty"}
    if entry.keys() - known:
        raise RolesMalformed(role=code, problem=f"unknown {', '.join(sorted(entry.keys() - known))}")
    try:
        return RoleFacts(
            code=code,
            title=Sentence(str(entry["zh"]), str(entry["en"])),
            level=str(entry["level"]),
            levels=_texts(entry["levels"]),
            relation=Relation(str(entry.get("relation", "all"))),
            actions=_texts(entry["actions"]),
            narrowed={str(key): str(value) for key, value in _mapping(entry.get("narrowed", {})).items()},
            gives=_texts(entry.get("gives", [])),
            duty=str(entry.get("duty", "")),
        )
    except (KeyError, ValueError, TypeError) as problem:
        raise RolesMalformed(role=code, problem=str(problem)) from None


def _check(role: RoleFacts, words: set[str], roles: set[str]) -> None:
    problems = {
        "unknown action": set(role.actions) - words,
        "narrowed but not allowed": set(role.narrowed) - set(role.actions),
        "unknown relation": set(role.narrowed.values()) - {item.value for item in Relation},
        "gives an unknown role": set(role.gives) - roles,
        "unknown level": {role.level, *role.levels} - set(LEVELS),
        "unknown duty": {role.duty} - set(DUTIES),
    }
    for problem, found in problems.items():
        if found:
            raise RolesMalformed(role=role.code, problem=f"{problem}: {', '.join(sorted(found))}")


def _texts(value: object) -> tuple[str, ...]:
    if not isinstance(value, list):
        raise TypeError(f"a list is needed, not {value!r}")
    return tuple(str(item) for item in value)


def _mapping(value: object) -> Mapping[object, object]:
    if not isinstance(value, dict):
        raise TypeError(f"a mapping is needed, not {value!r}")
    return value
