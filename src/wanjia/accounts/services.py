"""Opening accounts, giving and taking roles. Each act is recorded in the same transaction."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from uuid import UUID, uuid4

from django.contrib.auth.hashers import check_password, make_password
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction

from wanjia.accounts import content, queries, rules
from wanjia.accounts.errors import (
    AccountTaken,
    BadPeriod,
    DepartmentMissing,
    GrantEnded,
    GrantExists,
    NotToYourself,
    UnknownRole,
    WeakPassword,
    WiderThanYours,
    WrongPassword,
)
from wanjia.accounts.models import GrantRow, Role, User
from wanjia.accounts.passwords import REMEMBERED
from wanjia.audit.rules import refuse_identity_numbers
from wanjia.audit.services import Kind, common_area, detail, record
from wanjia.kernel import clock
from wanjia.scope.areas import AreaRange
from wanjia.scope.errors import NotAllowed
from wanjia.scope.keys import keyring
from wanjia.scope.reach import serving
from wanjia.scope.system import system_viewer
from wanjia.scope.viewer import Relation, Viewer

WRITE = "accounts.write"
SUBJECT = "account"
EVERYBODY = system_viewer("accounts.administer")


@dataclass(frozen=True, slots=True)
class NewGrant:
    """A role to be given; the relation is the role's own unless one is named."""

    role: str
    area_code: str
    relation: str = ""
    department: str = ""
    valid_from: date | None = None
    valid_to: date | None = None  # first day on which it no longer holds


@dataclass(frozen=True, slots=True)
class NewAccount:
    """An account to be opened, by default without a password: it cannot sign in until one is set.

    `password_hash` is one that `django.contrib.auth.hashers.make_password` made, for accounts
    that are brought along from elsewhere.
    """

    username: str
    display_name: str
    area_code: str
    password: str | None = None
    password_hash: str | None = None
    id_number: str | None = None
    phone: str | None = None
    language: str = "zh"
    grants: Sequence[NewGrant] = ()


@transaction.atomic
def load_roles() -> int:
    """Bring the role table up to `data/roles.yaml`; returns how many roles there are.

    Roles that left the file lose their actions but stay, since old grants name them. Safe to
    run again: without a change nothing is written or recorded.
    """
    document = content.document()
    facts = rules.parse_roles(document)
    wanted = [
        Role(
            code=role.code,
            title_zh=role.title.zh,
            title_en=role.title.en,
            level=role.level,
            levels=list(role.levels),
            relation=role.relation.value,
            actions=list(role.actions),
            narrowed=dict(role.narrowed),
            gives=list(role.gives),
            duty=role.duty,
            position=position,
            source=str(document.get("source", "")),
        )
        for position, role in enumerate(facts)
    ]
    names = [field.name for field in Role._meta.fields if not field.primary_key]
    known = {role.code: role for role in Role.objects.all()}
    changed = [
        role
        for role in wanted
        if role.code not in known or any(getattr(role, name) != getattr(known[role.code], name) for name in names)
    ]
    retired = Role.objects.exclude(code__in=[role.code for role in wanted]).exclude(actions=[])
    if changed or retired.exists():
        Role.objects.bulk_create(changed, update_conflicts=True, update_fields=names, unique_fields=["code"])
        retired.update(actions=[], narrowed={}, gives=[])
        record(
            Kind.REFERENCE,
            viewer=EVERYBODY,
            area="",
            act="accounts.load_roles",
            content={"roles": len(wanted), "changed": sorted(role.code for role in changed)},
        )
    return len(wanted)


def open_account(  # noqa: PLR0913 - what is known of a person
    *,
    viewer: Viewer,
    username: str,
    display_name: str,
    area_code: str,
    password: str | None = None,
    id_number: str | None = None,
    phone: str | None = None,
    language: str = "zh",
) -> User:
    """Open an account that administrators of `area_code` look after.

    Raises NotAllowed, BadUsername, AccountTaken, WeakPassword.
    """
    account = NewAccount(
        username, display_name, area_code, password, id_number=id_number, phone=phone, language=language
    )
    return open_accounts(viewer=viewer, accounts=[account])[0]


@transaction.atomic
def open_accounts(*, viewer: Viewer, accounts: Sequence[NewAccount]) -> list[User]:
    """Open many accounts with their first grants, all or none, as one recorded act.

    Raises what `open_account` and `grant` raise.
    """
    users = [_new_user(viewer, account) for account in accounts]
    taken = User.objects.visible_to(EVERYBODY).filter(username__in=[user.username for user in users])
    for username in taken.values_list("username", flat=True)[:1]:
        raise AccountTaken(username=username)
    # the indexes decide, not the look before: two administrators may open the same account at once
    try:
        with transaction.atomic():
            User.objects.bulk_create(users, batch_size=500)
    except IntegrityError:
        raise AccountTaken(username=users[0].username if len(users) == 1 else f"{len(users)}") from None
    giving = _Giving(viewer)
    rows: list[GrantRow] = []
    for user, account in zip(users, accounts, strict=True):
        held: dict[str, str] = {}
        for wanted in account.grants:
            row = giving.row(user, wanted, held)
            held[row.role_id] = row.role.duty
            rows.append(row)
    event_id = uuid4()
    digests = [_with_salt(row, event_id) for row in rows]
    GrantRow.objects.bulk_create(rows, batch_size=500)
    if users:
        record(
            Kind.ACCOUNT,
            viewer=viewer,
            area=common_area(account.area_code for account in accounts),
            act="accounts.open",
            subject=(SUBJECT, users[0].pk) if len(users) == 1 else None,
            content={"accounts": len(users), "grants": len(rows), "first": users[0].pk, "last": users[-1].pk},
            details=digests,
            event_id=event_id,
        )
    return users


@transaction.atomic
def grant(  # noqa: PLR0913 - what a grant is made of
    *,
    viewer: Viewer,
    user: User,
    role: str,
    area_code: str,
    relation: str = "",
    department: str = "",
    valid_from: date | None = None,
    valid_to: date | None = None,
) -> GrantRow:
    """Give `user` a role in an area; it counts from his next request.

    Nobody gives wider than his own area, a role his own does not give, or anything to himself.
    Raises NotVisible, UnknownRole, WrongLevel, WiderThanYours, NotToYourself, DutiesSeparated,
    DepartmentMissing, BadPeriod, GrantExists.
    """
    _require_other(viewer, user)
    locked = _locked(user)
    on = clock.today()
    standing = GrantRow.objects.visible_to(EVERYBODY).filter(user=locked).exclude(valid_to__lte=on)
    held = dict(standing.values_list("role_id", "role__duty"))
    row = _Giving(viewer).row(locked, NewGrant(role, area_code, relation, department, valid_from, valid_to), held)
    same = standing.filter(role_id=role, area_code=area_code, relation=row.relation, department=department)
    if same.exists():
        raise GrantExists(role=role, area=area_code)
    row.save()
    record(
        Kind.GRANT,
        viewer=viewer,
        area=area_code,
        act="accounts.grant",
        subject=(SUBJECT, user.pk),
        content={"grant": row.pk, **row.facts()},
    )
    return row


@transaction.atomic
def revoke(*, viewer: Viewer, grant_id: int) -> GrantRow:
    """End a grant from now on; it stays as history.

    Raises NotVisible, WiderThanYours, NotToYourself, GrantEnded.
    """
    row = GrantRow.objects.get_visible(viewer, action=WRITE, pk=grant_id)
    _require_other(viewer, row.user)
    _locked(row.user)
    row.refresh_from_db(fields=["valid_to"], from_queryset=GrantRow.objects.visible_to(viewer, WRITE))
    _Giving(viewer).require_may_give(row.role, row.area_code)
    on = clock.today()
    if row.valid_to is not None and row.valid_to <= on:
        raise GrantEnded(on=row.valid_to)
    row.valid_to = max(on, row.valid_from)
    row.ended_by = viewer.user_id
    row.save(update_fields=["valid_to", "ended_by"])
    record(
        Kind.GRANT,
        viewer=viewer,
        area=row.area_code,
        act="accounts.revoke",
        subject=(SUBJECT, row.user_id),
        content={"grant": row.pk, **row.facts(), "to": row.valid_to.isoformat()},
    )
    return row


@transaction.atomic
def lock(*, viewer: Viewer, user_id: int, reason: str) -> User:
    """Close the account to its holder at once; sessions end with their next request."""
    refuse_identity_numbers(reason, "reason")
    user = _managed(viewer, user_id)
    if user.is_active:
        user.is_active, user.locked_on = False, clock.today()
        user.save(update_fields=["is_active", "locked_on"])
        _record_account(viewer, user, "accounts.lock", reason=reason)
    return user


@transaction.atomic
def unlock(*, viewer: Viewer, user_id: int) -> User:
    """Open a locked account again."""
    user = _managed(viewer, user_id)
    if not user.is_active:
        user.is_active, user.locked_on = True, None
        user.save(update_fields=["is_active", "locked_on"])
        _record_account(viewer, user, "accounts.unlock")
    return user


@transaction.atomic
def set_password(*, viewer: Viewer, user_id: int, password: str) -> User:
    """Give somebody else's account a new password; his sessions end. Raises WeakPassword."""
    user = _managed(viewer, user_id)
    _store_password(user, password)
    _record_account(viewer, user, "accounts.set_password")
    return user


@transaction.atomic
def change_password(*, viewer: Viewer, present: str, new: str) -> User:
    """Change the own password. Raises WrongPassword, WeakPassword."""
    user = _locked(_own(viewer))
    if not check_password(present, user.password):
        raise WrongPassword
    _store_password(user, new)
    _record_account(viewer, user, "accounts.change_password")
    return user


def choose_language(*, viewer: Viewer, language: str) -> None:
    """Remember the language the account reads; a preference, not an act."""
    User.objects.visible_to(EVERYBODY).filter(pk=viewer.user_id).update(language=language)


class _Giving:
    """What a viewer may give; roles are read once for a whole act."""

    def __init__(self, viewer: Viewer) -> None:
        self.viewer = viewer
        self.roles = {role.code: role for role in Role.objects.all()}

    def require_may_give(self, role: Role, area_code: str) -> None:
        """Raises WiderThanYours unless one of the viewer's own grants covers the area and gives the role."""
        if self.viewer.is_system:
            return
        wanted = AreaRange.of(area_code)
        for own in self.viewer.grants_for(WRITE):
            giver = self.roles.get(own.role)
            if (
                giver is not None
                and role.code in giver.gives
                and own.relation is Relation.ALL
                and own.area.covers(wanted)
            ):
                return
        raise WiderThanYours(role=role.code, area=area_code)

    def row(self, user: User, wanted: NewGrant, held: dict[str, str]) -> GrantRow:
        """The checked row, not yet saved."""
        role = self.roles.get(wanted.role)
        if role is None:
            raise UnknownRole(role=wanted.role)
        relation = wanted.relation or role.relation
        start = wanted.valid_from or clock.today()
        rules.require_level(role.code, role.levels, wanted.area_code)
        self.require_may_give(role, wanted.area_code)
        rules.require_separate_duties(role.code, role.duty, held)
        if (relation == Relation.OWN_DEPARTMENT.value) != bool(wanted.department):
            raise DepartmentMissing(role=role.code)
        if wanted.valid_to is not None and wanted.valid_to <= max(start, clock.today()):
            raise BadPeriod(valid_from=start, valid_to=wanted.valid_to)
        return GrantRow(
            user=user,
            role=role,
            area_code=wanted.area_code,
            relation=Relation(relation).value,
            department=wanted.department,
            valid_from=start,
            valid_to=wanted.valid_to,
            first_to=wanted.valid_to,
            granted_by=self.viewer.user_id,
        )


def _new_user(viewer: Viewer, account: NewAccount) -> User:
    rules.require_username(account.username)
    refuse_identity_numbers(account.display_name, "display_name")
    if not viewer.may_throughout(WRITE, account.area_code):
        raise NotAllowed(action=WRITE)
    day = clock.today()
    user = User(
        username=account.username,
        display_name=account.display_name.strip(),
        area_code=account.area_code,
        id_key=keyring().person_key(account.id_number),
        language=account.language,
        opened_on=day,
        password_set_on=day,
    )
    user.phone = account.phone or None
    if account.password is not None:
        _require_good(account.password, user)
    user.password = account.password_hash or make_password(account.password)
    return user


def _require_good(password: str, user: User) -> None:
    try:
        validate_password(password, user)
    except ValidationError as problem:
        raise WeakPassword(problems=" ".join(problem.messages)) from None


def _store_password(user: User, password: str) -> None:
    _require_good(password, user)
    user.former_passwords = [user.password, *user.former_passwords][: REMEMBERED - 1]
    user.password = make_password(password)
    user.password_set_on = clock.today()
    with serving(EVERYBODY):  # his own account need not lie where he has grants
        user.save(update_fields=["password", "former_passwords", "password_set_on"])


def _locked(user: User) -> User:
    """The account's row, held against a second change at the same time."""
    rows = User.objects.visible_to(EVERYBODY).select_for_update()
    return rows.get(pk=user.pk)


def _own(viewer: Viewer) -> User:
    return User.objects.visible_to(EVERYBODY).get(pk=viewer.user_id)


def _require_other(viewer: Viewer, user: User) -> None:
    if viewer.user_id == user.pk:
        raise NotToYourself


def _managed(viewer: Viewer, user_id: int) -> User:
    """The account, if all it holds now lies where the viewer may write.

    A county may see the province's officer who has a grant there too, but not lock him.
    Raises NotVisible, NotToYourself, WiderThanYours.
    """
    user = _locked(queries.user_for(viewer, user_id, WRITE))
    _require_other(viewer, user)
    giving = _Giving(viewer)
    standing = GrantRow.objects.visible_to(EVERYBODY).filter(user=user).exclude(valid_to__lte=clock.today())
    for row in standing:
        giving.require_may_give(giving.roles[row.role_id], row.area_code)
    if not viewer.may_throughout(WRITE, user.area_code):
        raise NotAllowed(action=WRITE)
    return user


def _record_account(viewer: Viewer, user: User, act: str, **said: str) -> None:
    record(Kind.ACCOUNT, viewer=viewer, area=user.area_code, act=act, subject=(SUBJECT, user.pk), content=said)


def _with_salt(row: GrantRow, event_id: UUID) -> bytes:
    """The row's digest; its salt and the act are kept in the row, so that the entry can be opened again."""
    made = detail(row.facts())
    row.salt, row.opened_in = made.salt, event_id
    return made.digest
