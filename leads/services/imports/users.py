"""Import of users: colleagues who own records, known by the id of the source, e-mail address or name.

Colleagues are few, so each goes through the services that every other way of adding one uses. Nobody
gets a password: who has an e-mail address sets one, the others can't sign in.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from leads.domain import identities
from leads.services.imports import cells
from leads.services.imports.kinds import Field, Kind
from leads.services.imports.staging import Batch
from smarketing.users.domain.roles import SIDE_OF_ROLE, Capability, Role, Side
from smarketing.users.models import Team, User, UserRef
from smarketing.users.services import teams, users

_ROLES = {
    word: role
    for role, words in {
        Role.REP: "rep salesrep sales salesperson salesuser accountexecutive agent bdr sdr",
        Role.MARKETER: "marketer marketing marketinguser",
        Role.SALES_MANAGER: "salesmanager manager headofsales salesdirector",
        Role.MARKETING_MANAGER: "marketingmanager headofmarketing cmo",
        Role.ADMIN: "admin administrator systemadministrator",
        Role.READ_ONLY: "readonly viewer guest",
    }.items()
    for word in words.split()
}
_COLUMNS = "row_no, external_id, first_name, last_name, name, email, role, team, region, manager, is_active"


@dataclass(slots=True)
class _Known:
    """Users as they are recognised; a name that two people have recognises nobody.

    ``taken`` are users whom this source calls by an id: another id is somebody else of that name.
    """

    by_ref: dict[str, User]
    by_email: dict[str, User]
    by_name: dict[str, list[User]]
    taken: set[int]

    def find(self, ref: str, email: str | None, name: str) -> User | None:
        """By id, then e-mail address, then name."""
        found = self.by_ref.get(ref) or (self.by_email.get(email) if email else None)
        same = self.by_name.get(identities.person_name_key(name), [])
        if (
            found is None
            and len(same) == 1
            and not (email and same[0].email)
            and same[0].pk not in self.taken
        ):
            found = same[0]
        return found

    def named(self, text: str) -> User | None:
        """Whom another row means by an id, an e-mail address or a name."""
        same = self.by_name.get(identities.person_name_key(text), [])
        one = same[0] if len(same) == 1 else None
        return self.by_ref.get(text) or self.by_email.get(text.lower()) or one

    def add(self, user: User, ref: str = "") -> None:
        """Recognise a user who was added during the run."""
        if ref:
            self.by_ref[ref] = user
            self.taken.add(user.pk)
        if user.email:
            self.by_email[user.email] = user
        same = self.by_name.setdefault(identities.person_name_key(user.name), [])
        if user not in same:
            same.append(user)


def apply(*, batch: Batch) -> None:
    """Add and change the colleagues of the file, and the managers it names."""
    batch.reject(
        "name",
        "The user has neither name nor e-mail address.",
        "r.name IS NULL AND r.first_name IS NULL AND r.last_name IS NULL AND r.email IS NULL",
    )
    rows = [
        dict(zip(_COLUMNS.replace(" ", "").split(","), row, strict=True))
        for row in batch.fetch(f"SELECT {_COLUMNS} FROM import_row ORDER BY row_no")  # noqa: S608
    ]
    known = _known(batch)
    batch.execute("INSERT INTO import_before SELECT 'users_user', u.id, to_jsonb(u) FROM users_user u")
    outcomes: dict[int, str] = {}
    for row in rows:
        name = row["name"] or " ".join(p for p in (row["first_name"], row["last_name"]) if p) or row["email"]
        ref = row["external_id"] or name
        user = known.find(ref, row["email"], name)
        made = user is None
        if user is None:
            user = _create(batch, row, name)
            outcomes[row["row_no"]] = "c"
        elif _update(batch, user, row, name):
            outcomes[row["row_no"]] = "u"
        if _remember(batch, user, ref) and not made:
            outcomes[row["row_no"]] = "u"
        known.add(user, ref)
        row["user"] = user
    for row in rows:
        if _link(batch, row, known):
            outcomes.setdefault(row["row_no"], "u")
    if outcomes:
        batch.tell(outcomes.items())


def _known(batch: Batch) -> _Known:
    everybody = {user.pk: user for user in User.objects.order_by("pk")}
    refs = list(UserRef.objects.filter(source=batch.source.code).values_list("external_id", "user_id"))
    known = _Known({ref: everybody[pk] for ref, pk in refs}, {}, {}, {pk for _, pk in refs})
    for user in everybody.values():
        known.add(user)
    return known


def _create(batch: Batch, row: dict[str, Any], name: str) -> User:
    user = users.create(
        name=name,
        email=row["email"],
        role=row["role"] or Role.REP,
        region=row["region"] or "",
        actor=batch.actor,
        now=batch.now,
    )
    batch.made_ids("users_user", [user.pk])
    if row["is_active"] is False:
        users.deactivate(user=user, actor=batch.actor, now=batch.now)
    return user


def _update(batch: Batch, user: User, row: dict[str, Any], name: str) -> bool:
    """Bring a known user up to the row; whether anything was different."""
    wanted = {"name": name, "region": row["region"] or user.region}
    if row["email"] and row["email"] != user.email and user.email is None:
        wanted["email"] = row["email"]
    different = {key: value for key, value in wanted.items() if getattr(user, key) != value}
    if different:
        users.update(user=user, actor=batch.actor, now=batch.now, **different)
    changed = bool(different)
    if row["role"] and row["role"] != user.role:
        users.change_role(user=user, role=row["role"], actor=batch.actor, now=batch.now)
        changed = True
    if row["is_active"] is not None and row["is_active"] != user.is_active:
        turn = users.reactivate if row["is_active"] else users.deactivate
        turn(user=user, actor=batch.actor, now=batch.now)
        changed = True
    return changed


def _remember(batch: Batch, user: User, ref: str) -> bool:
    _, made = UserRef.objects.get_or_create(
        source=batch.source.code, external_id=ref[:255], defaults={"user": user}
    )
    return made


def _link(batch: Batch, row: dict[str, Any], known: _Known) -> bool:
    """Manager and team, when all users of the file are there; whether anything was different.

    A manager whom no row describes is named by the file all the same: they are added.
    """
    user: User = row["user"]
    changed = False
    if row["manager"]:
        manager = known.named(row["manager"])
        if manager is None:
            email = row["manager"].lower() if "@" in row["manager"] else None
            manager = users.create(
                name=row["manager"], email=email, role=Role.SALES_MANAGER, actor=batch.actor, now=batch.now
            )
            batch.made_ids("users_user", [manager.pk])
            _remember(batch, manager, row["manager"])
            known.add(manager, row["manager"])
            batch.note(f"“{row['manager']}” is named as a manager and was added as one.")
        if manager.pk != user.pk and user.manager_id != manager.pk:
            users.update(user=user, actor=batch.actor, now=batch.now, manager=manager)
            changed = True
    if row["team"]:
        team = Team.objects.filter(name__iexact=row["team"]).first() or teams.create(
            name=row["team"],
            side=SIDE_OF_ROLE[Role(user.role)] or Side.SALES,
            actor=batch.actor,
            now=batch.now,
        )
        if not team.memberships.filter(user=user).exists():
            teams.add_member(team=team, user=user, actor=batch.actor, now=batch.now)
            changed = True
    return changed


KIND = Kind(
    name="users",
    fields=(
        Field("external_id", cells.key),
        Field("name", cells.line(limit=200)),
        Field("first_name", cells.line(limit=100)),
        Field("last_name", cells.line(limit=99)),
        Field("email", cells.loose_email),
        Field(
            "role",
            cells.choice(meanings=_ROLES, told=f"a role; choose from {', '.join(r.value for r in Role)}"),
        ),
        Field("team", cells.line(limit=120)),
        Field("region", cells.line(limit=120)),
        Field("manager", cells.line(limit=200)),
        Field("is_active", cells.boolean, columns=(("is_active", "bool"),)),
        Field("is_deleted", cells.boolean, columns=(("is_deleted", "bool"),)),
    ),
    apply=apply,
    capability=Capability.MANAGE_USERS,
)
