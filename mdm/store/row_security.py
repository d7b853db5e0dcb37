"""PostgreSQL row-level security: the second line of access control, which holds where a query forgets the first.

Requests of principals whose scope is limited run as the role `mdm_scoped` (`mdm.store.scoped`). That role reads; it
sees rows of golden records that the scope of its transaction reaches, and nothing at all when no scope was set. Every
table is guarded: one that no policy here names shows it no row. Whoever owns the tables (workers, migrations) sees all.
"""

import hashlib

from sqlalchemy import Connection, text

from mdm.store.tables import metadata

#: The application role of limited principals: no login, no BYPASSRLS, owner of nothing.
ROLE = "mdm_scoped"

#: Settings of a transaction that carry its scope: comma-separated labels, or * for everything.
SETTINGS: dict[str, str] = {
    "regions": "mdm.regions",
    "business_units": "mdm.business_units",
    "legal_entities": "mdm.legal_entities",
    "sources": "mdm.sources",
    "domains": "mdm.domains",
}


def _overlaps(column: str, setting: str) -> str:
    # Sub-selects, so that a setting is read and taken apart once in a statement and not for every row.
    value = f"(select current_setting('{setting}', true))"
    granted = f"(select string_to_array(current_setting('{setting}', true) || ',*', ','))"
    return f"({value} = '*' or ({value} <> '' and {column} && {granted}))"


#: Whether a placement `p` is in the scope of the transaction. Settings that are not there make it null: no.
IN_SCOPE = " and ".join(
    [_overlaps(f"p.{name}", setting) for name, setting in SETTINGS.items() if name != "domains"]
    + [_overlaps("array[p.domain]", SETTINGS["domains"])]
)


def _placed(column: str) -> str:
    return f"exists (select 1 from placement p where p.entity_id = {column})"


def _member(column: str) -> str:
    """A live record of an entity that is in scope."""
    return f"exists (select 1 from crosswalk x where x.rec_id = {column})"


def _record(column: str) -> str:
    return f"exists (select 1 from source_record r where r.rec_id = {column})"


def _task(column: str) -> str:
    return f"exists (select 1 from steward_task t where t.task_id = {column})"


def _all_placed(column: str) -> str:
    return f"""not exists (select 1 from unnest({column}) as e(id)
                           where not exists (select 1 from placement p where p.entity_id = e.id))"""


def _identifier(table: str) -> str:
    """A number that a row within reach states or stated, or the key of one."""
    return f"""exists (select 1 from identifier_use u where u.identifier = {table}.identifier)
        or exists (select 1 from source_record s where s.system = {table}.system and s.type = {table}.type
            and s.key = substr({table}.identifier, length({table}.system) + length({table}.type) + 3)
            and {table}.identifier = s.system || ':' || s.type || ':' || s.key)"""


#: What a limited principal sees of each table. Sub-selects are themselves under the policies of what they read.
POLICIES: dict[str, str] = {
    "placement": IN_SCOPE.replace("p.", "placement."),
    "entity": _placed("entity.entity_id"),
    "golden": _placed("golden.entity_id"),
    "search_term": _placed("search_term.entity_id"),
    "crosswalk": _placed("crosswalk.entity_id"),
    "crosswalk_history": _placed("crosswalk_history.entity_id"),
    "outbox": _placed("outbox.aggregateid"),
    "checkpoint": _placed("checkpoint.entity_id"),
    "waiver": _placed("waiver.entity_id"),
    "onboarding_return": _placed("onboarding_return.entity_id"),
    "verdict": _placed("verdict.entity_id"),
    "erp_version": _placed("erp_version.entity_id"),
    "erp_question": _placed("erp_question.entity_id"),
    "record_access": _placed("record_access.entity_id"),
    "customer_relation": f"""{_placed("customer_relation.child")} and
        (customer_relation.parent is null or {_placed("customer_relation.parent")})""",
    "source_record": """case when source_record.domain is null then mdm_fact_in_scope(source_record.rec_id)
        when source_record.deleted
        then exists (select 1 from crosswalk_history h where h.rec_id = source_record.rec_id)
        else exists (select 1 from crosswalk x where x.rec_id = source_record.rec_id) end""",
    "record_history": _record("record_history.rec_id"),
    "record_reference": _record("record_reference.rec_id"),
    "record_alias": _record("record_alias.rec_id"),
    "record_evidence": _record("record_evidence.rec_id"),
    "echo": _record("echo.rec_id"),
    "block_key": _member("block_key.rec_id"),
    "record_without_key": _member("record_without_key.rec_id"),
    "identifier_use": _record("identifier_use.rec_id"),
    "recycled_identifier": _identifier("recycled_identifier"),
    "identifier_kept": _identifier("identifier_kept"),
    "link": f"{_member('link.a')} and {_member('link.b')}",
    "judgement": f"{_member('judgement.a')} and {_member('judgement.b')}",
    "steward_task": f"{_member('steward_task.a')} and {_member('steward_task.b')}",
    "task_priority": _task("task_priority.task_id"),
    "task_work": _task("task_work.task_id"),
    "bulk_item": _task("bulk_item.task_id"),
    "comment": """exists (select 1 from steward_task t
            where left(comment.subject, 5) = 'task:' and t.question = substr(comment.subject, 6))
        or exists (select 1 from placement p
            where left(comment.subject, 7) = 'entity:' and p.entity_id = substr(comment.subject, 8))""",
    "decision": f"cardinality(decision.entities) > 0 and {_all_placed('decision.entities')}",
    "proposal": f"cardinality(proposal.entities) > 0 and {_all_placed('proposal.entities')}",
    "golden_override": "exists (select 1 from crosswalk x where x.rec_id = any(golden_override.anchors))",
    # What says nothing about a golden record: numbers of the machinery, released rules, public registries.
    **dict.fromkeys(
        (
            "batch", "bulk_job", "console_view", "consumed_count", "delegation", "erp_gate", "export_job",
            "feed_consumer",
            "feed_lag", "feed_position", "freshness_hour", "gleif_entity", "governance_document",
            "outcome_count", "reference_list", "release_run", "released_rules", "rule_release", "rules_in_force",
            "sanction_name", "source_progress", "table_shape",
            "truncation", "attestation", "source_retirement",
        ),
        "true",
    ),
}  # fmt: skip

#: Tables that the role may not even name.
SECRET: frozenset[str] = frozenset(
    {
        "api_key", "command_key", "console_account", "console_secret", "console_session", "console_sign_in",
        "suppression", "suppression_secret",
    }
)  # fmt: skip

# A linked fact (an invoice, a contact) is reached through what it refers to, up to three steps away. The function looks
# with its owner's eyes, because a fact between this one and the golden record need not be reachable by itself.
_FACT = f"""
create or replace function mdm_fact_in_scope(fact bigint) returns boolean
language sql stable security definer set search_path = {{schema}}, pg_temp as $body$
  with recursive up(rec_id, depth) as (
    select fact, 0
    union
    select m.rec_id, up.depth + 1
    from up
    join record_reference f on f.rec_id = up.rec_id
    cross join lateral (
      select s.rec_id from source_record s where s.system = f.system and s.type = f.type and s.key = f.key
      union
      select a.rec_id from record_alias a where a.system = f.system and a.type = f.type and a.key = f.key) m
    where up.depth < 3
  )
  select exists (
    select 1 from up join crosswalk x on x.rec_id = up.rec_id join placement p on p.entity_id = x.entity_id
    where p.domain <> 'product' and {IN_SCOPE})
$body$
"""

_MAKE_ROLE = f"""
do $body$ begin
  if not exists (select 1 from pg_roles where rolname = '{ROLE}') then
    begin
      create role {ROLE} nologin noinherit;
    exception when duplicate_object or unique_violation then null;
    end;
  end if;
  -- Since version 16 whoever creates a role is a member who may grant it, and may not become it.
  if not pg_has_role(current_user, '{ROLE}',
                     case when current_setting('server_version_num')::int >= 160000 then 'set' else 'member' end) then
    execute 'grant {ROLE} to ' || quote_ident(current_user);
  end if;
end $body$
"""


def fingerprint() -> str:
    """Names these policies: a database that carries another one gets them anew."""
    told = repr(("not forced", sorted(POLICIES.items()), sorted(SECRET), sorted(metadata.tables), _FACT, _MAKE_ROLE))
    return hashlib.sha256(told.encode()).hexdigest()[:16]


def secured(connection: Connection) -> bool:
    """Whether the database carries these policies."""
    told = connection.scalar(text("select obj_description(to_regprocedure('mdm_fact_in_scope(bigint)'), 'pg_proc')"))
    return bool(told == _mark())


def secure(connection: Connection) -> None:
    """Write the role, its rights and all policies anew; harmless when repeated. The caller commits.

    Needs the owner of the tables, and the right to create roles unless an administrator has made the role.
    """
    schema = str(connection.scalar(text("select current_schema()")))
    statements = [_MAKE_ROLE, f'grant usage on schema "{schema}" to {ROLE}', _FACT.format(schema=f'"{schema}"')]
    for name in sorted(metadata.tables):
        statements += [
            f'revoke all on "{name}" from {ROLE}',
            f'alter table "{name}" enable row level security',
            # Not forced: it would bind the owner only, who must see everything, and under it COPY is refused.
            f'alter table "{name}" no force row level security',
            f'drop policy if exists mdm_hub on "{name}"',
            f'drop policy if exists {ROLE} on "{name}"',
        ]
        if name not in SECRET:
            statements.append(f'grant select on "{name}" to {ROLE}')
        if name in POLICIES:
            statements.append(f'create policy {ROLE} on "{name}" for select to {ROLE} using ({POLICIES[name]})')
    statements.append(f"comment on function mdm_fact_in_scope(bigint) is '{_mark()}'")
    for statement in statements:
        connection.exec_driver_sql(statement)


def _mark() -> str:
    return f"row security {fingerprint()}"
