"""Cells that point at other records: owners, companies, campaigns, channels.

Each function makes a small temporary table from the distinct values of the file to the ids here, so
that later statements join it. What can't be found is rejected row by row, or made when the person
asks for that.
"""

from __future__ import annotations

from leads.domain import identities, salesforce
from leads.models import Campaign, Company
from leads.services import visit_links
from leads.services.imports.staging import Batch, kept
from smarketing.users.domain.roles import Role
from smarketing.users.models import User, UserRef

_CLAIM = (
    f"WITH changed AS ({visit_links.OF_CAMPAIGN}), {kept(table='leads_touchpoint')}"  # noqa: S608
    " SELECT count(*) FROM changed"
)


def owners(*, batch: Batch) -> None:
    """``import_owner (written, user_id)``: by the id in the source, e-mail address or name.

    A number or code without meaning here, from a source none of whose users are known, is no fault
    of the row: it goes in without an owner and a note says so. Everything else unknown is.
    """
    written = _distinct(batch, "owner") if batch.has("owner") else []
    by_ref = dict(UserRef.objects.filter(source=batch.source.code).values_list("external_id", "user_id"))
    users = list(User.objects.order_by("pk").values_list("pk", "email", "name"))
    by_email = {email: pk for pk, email, _ in users if email}
    by_name: dict[str, list[int]] = {}
    for pk, _, name in users:
        by_name.setdefault(identities.person_name_key(name), []).append(pk)
    rows: list[tuple[str, int | None]] = []
    unknown: list[str] = []
    opaque: list[str] = []
    for text in written:
        named = by_name.get(identities.person_name_key(text), [])
        found = by_ref.get(text) or by_email.get(text.lower()) or (named[0] if len(named) == 1 else None)
        if found is None and batch.may_make_users():
            found = _new_owner(batch, text)
        if found is not None:
            rows.append((text, found))
        elif _is_opaque(text) and not by_ref:
            opaque.append(text)
            rows.append((text, None))
        else:
            unknown.append(text)
    if opaque:
        batch.note(
            f"{len(opaque)} owners are ids of “{batch.source.name}”, whose users are not known here: those"
            " rows come in without an owner. Import the users first, or use --create-missing."
        )
    batch.load("import_owner", (("written", "text"), ("user_id", "bigint")), rows)
    if unknown:
        batch.reject(
            "owner",
            "No user has this name, e-mail address or id. Import users first, or use --create-missing.",
            "r.owner = ANY(%(unknown)s)",
            unknown=unknown,
        )


def _is_opaque(text: str) -> bool:
    """Whether the text is an id of another system rather than something a person would write."""
    if "@" in text or " " in text:
        return False
    return text.isdigit() or salesforce.is_id(text) or (len(text) >= 16 and any(c.isdigit() for c in text))


def _new_owner(batch: Batch, text: str) -> int:
    """A rep who is known only from the file: nobody can sign in as them until an admin lets them."""
    email = text.lower() if "@" in text else None
    user = User(name=text[:200], email=email, role=Role.REP, created_at=batch.now, updated_at=batch.now)
    user.set_unusable_password()
    user.save(force_insert=True)
    batch.made_ids("users_user", [user.pk])
    UserRef.objects.create(user=user, source=batch.source.code, external_id=text)
    batch.note(f"“{text}” was unknown and is now a rep who can't sign in yet.")
    return user.pk


def companies(*, batch: Batch, may_create: bool) -> None:
    """``import_company (company_key, company_id)`` from the fields ``company`` and ``company_ref``.

    A name is found by its key; a text that is the id of a company in this source is that company.
    ``may_create``: the names of this kind of file bring companies into being (a lead's company);
    otherwise only ``--create-missing`` does. ``import_company_ref (ref, company_id)`` likewise.
    """
    batch.table(
        "import_company",
        "SELECT r.company_key, min(r.company_name) AS name, NULL::bigint AS company_id"
        " FROM import_row r WHERE r.company_key IS NOT NULL GROUP BY r.company_key",
        index="company_key",
    )
    batch.execute(
        "UPDATE import_company c SET company_id = coalesce(o.merged_into_id, o.id) FROM leads_companyref f"
        " JOIN leads_company o ON o.id = f.company_id"
        " WHERE f.source_id = %(source)s AND f.external_id = c.name"
    )
    batch.execute(
        "UPDATE import_company c SET company_id = f.id FROM ("
        " SELECT o.name_key, min(o.id) AS id FROM leads_company o JOIN import_company i"
        " ON i.company_key = o.name_key WHERE o.merged_into_id IS NULL GROUP BY o.name_key"
        ") f WHERE c.company_key = f.name_key AND c.company_id IS NULL"
    )
    _leave_unknown_ids(batch)
    if may_create or batch.create_missing:
        _insert_companies(batch)
    else:
        batch.reject(
            "company",
            "There is no such company. Import companies first, or use --create-missing.",
            "EXISTS (SELECT 1 FROM import_company c"
            " WHERE c.company_key = r.company_key AND c.company_id IS NULL)",
        )
    _company_refs(batch)
    batch.table(
        "import_row_company",
        "SELECT r.row_no, coalesce(f.company_id, c.company_id) AS company_id FROM import_row r"
        " LEFT JOIN import_company_ref f ON f.ref = r.company_ref"
        " LEFT JOIN import_company c ON c.company_key = r.company_key"
        " WHERE r.company_key IS NOT NULL OR r.company_ref IS NOT NULL",
        index="row_no",
    )


def _leave_unknown_ids(batch: Batch) -> None:
    """An id of an account that is not known here is no name to make a company from."""
    ids = [
        n
        for (n,) in batch.fetch("SELECT name FROM import_company WHERE company_id IS NULL")
        if salesforce.is_id(n)
    ]
    if ids and not batch.create_missing:
        batch.execute("DELETE FROM import_company WHERE company_id IS NULL AND name = ANY(%(ids)s)", ids=ids)
        batch.note(
            f"{len(ids)} companies are ids of accounts that are not known here: those rows come in"
            " without a company. Import the companies first."
        )


def _insert_companies(batch: Batch) -> None:
    batch.execute(
        "UPDATE import_company SET company_id = nextval('leads_company_id_seq') WHERE company_id IS NULL"
    )
    made = batch.execute(
        """
        WITH made AS (
            INSERT INTO leads_company (id, name, name_key, domain, industry, country, city, phone, currency,
                                       attributes, version, created_at, updated_at)
            SELECT c.company_id, c.name, c.company_key, '', '', '', '', '', '', '{}', 1, %(now)s, %(now)s
              FROM import_company c
             WHERE NOT EXISTS (SELECT 1 FROM leads_company o WHERE o.id = c.company_id)
             ORDER BY c.company_id RETURNING id
        )
        INSERT INTO import_made SELECT 'leads_company', id FROM made
        """
    )
    batch.refresh_statistics("leads_company", written=made)
    if made:
        batch.note(
            "1 company was new and has been made."
            if made == 1
            else f"{made} companies were new and have been made."
        )


def _company_refs(batch: Batch) -> None:
    """``import_company_ref (ref, company_id)`` of the ids in this source."""
    batch.table(
        "import_company_ref",
        "SELECT q.ref, coalesce(o.merged_into_id, o.id) AS company_id"
        " FROM (SELECT DISTINCT company_ref AS ref FROM import_row WHERE company_ref IS NOT NULL) q"
        " LEFT JOIN leads_companyref f ON f.source_id = %(source)s AND f.external_id = q.ref"
        " LEFT JOIN leads_company o ON o.id = f.company_id",
        index="ref",
    )
    missing = [r for (r,) in batch.fetch("SELECT ref FROM import_company_ref WHERE company_id IS NULL")]
    if not missing:
        return
    if not batch.create_missing:
        batch.reject(
            "company_ref",
            "There is no company with this id. Import companies first, or use --create-missing.",
            "r.company_ref = ANY(%(missing)s)",
            missing=missing,
        )
        return
    made = Company.objects.bulk_create(
        Company(name=ref, name_key=identities.company_key(ref), created_at=batch.now, updated_at=batch.now)
        for ref in missing
    )
    batch.made_ids("leads_company", [company.pk for company in made])
    pairs = [(ref, company.pk) for ref, company in zip(missing, made, strict=True)]
    batch.execute(
        "INSERT INTO leads_companyref (company_id, source_id, external_id)"
        " SELECT i, %(source)s, r FROM unnest(%(refs)s::text[], %(ids)s::bigint[]) AS u(r, i)",
        refs=[r for r, _ in pairs],
        ids=[i for _, i in pairs],
    )
    batch.execute(
        "UPDATE import_company_ref c SET company_id = u.i"
        " FROM unnest(%(refs)s::text[], %(ids)s::bigint[]) AS u(r, i) WHERE c.ref = u.r",
        refs=[r for r, _ in pairs],
        ids=[i for _, i in pairs],
    )
    batch.note(f"{len(missing)} companies are known only by their id and were made under it.")


def campaigns(*, batch: Batch) -> None:
    """``import_campaign (written, campaign_id)`` from the fields ``campaign_ref`` and ``campaign``."""
    wanted: dict[str, str] = {}
    for name in ("campaign_ref", "campaign"):
        if batch.has(name):
            wanted |= dict.fromkeys(_distinct(batch, name), name)
    by_ref = dict(
        Campaign.objects.filter(source=batch.source, external_id__in=wanted).values_list("external_id", "pk")
    )
    by_name = (
        {name.casefold(): pk for pk, name in Campaign.objects.order_by("-pk").values_list("pk", "name")}
        if wanted
        else {}
    )
    rows: list[tuple[str, int]] = []
    unknown: list[str] = []
    for text in wanted:
        found = by_ref.get(text) or by_name.get(text.casefold())
        if found is None and batch.create_missing:
            made = Campaign.objects.create(
                source=batch.source,
                external_id=text if wanted[text] == "campaign_ref" else None,
                name=text,
                created_at=batch.now,
                updated_at=batch.now,
            )
            found = made.pk
            batch.made_ids("leads_campaign", [made.pk])
            batch.execute(_CLAIM, **visit_links.named(campaign=made))
            batch.note(f"Campaign “{text}” was unknown and has been made.")
        if found is None:
            unknown.append(text)
        else:
            rows.append((text, found))
    batch.load("import_campaign", (("written", "text"), ("campaign_id", "bigint")), rows)
    for name in ("campaign_ref", "campaign"):
        if unknown and batch.has(name):
            batch.reject(
                name,
                "There is no such campaign. Make it first, or use --create-missing.",
                f"r.{name} = ANY(%(unknown)s)",
                unknown=unknown,
            )


def _distinct(batch: Batch, column: str) -> list[str]:
    """The distinct values of a staging column whose name the program knows."""
    known = {"owner", "campaign", "campaign_ref", "product"}
    if column not in known:
        raise ValueError(column)
    return [
        text
        for (text,) in batch.fetch(
            f"SELECT DISTINCT {column} FROM import_row WHERE {column} IS NOT NULL ORDER BY 1"  # noqa: S608
        )
    ]
