"""Proposals that wait for a second person, for a hub that is measured: merges that open questions are about."""

from sqlalchemy import Engine, text

_PROPOSE = """
insert into proposal (kind, domain, command, effect, digest, demands, entities, task_id, author, author_role, reason,
  proposed_at, expires_at, risk, stake)
select 'same', t.domain, jsonb_build_object('command', 'judge_task', 'task_id', t.task_id, 'verdict', 'same',
    'reason', 'the same company', 'until', null, 'picks', jsonb_build_array()),
  jsonb_build_object('entities', jsonb_build_array(), 'moves', jsonb_build_array(), 'erp', jsonb_build_array(),
    'tasks_closed', jsonb_build_array(t.task_id), 'tasks_opened', jsonb_build_array(), 'relations', jsonb_build_array(),
    'letters', jsonb_build_array(), 'announcements', jsonb_build_object(),
    'exposure', jsonb_build_object('contracts', 0, 'contract_value', jsonb_build_object(), 'invoices', 0,
      'invoice_amount', jsonb_build_object())),
  md5(t.task_id::text),
  jsonb_build_array(jsonb_build_object('name', 'two-erp-numbers', 'because', 'it joins two numbers in ERP',
    'approvers', jsonb_build_array('data_owner', 'senior_steward'))),
  array(select distinct x.entity_id from crosswalk x where x.rec_id in (t.a, t.b) order by 1), t.task_id,
  'user:' || t.task_id % 20, 'steward', '', now(), now() + interval '9 days', 1 + t.task_id % 3,
  (hashint8(t.task_id)::bigint & 1023) / 256.0
from steward_task t
where t.status = 'open' and t.domain = 'customer'
  and not exists (select from proposal p where p.status = 'open' and p.task_id = t.task_id)
order by t.task_id limit greatest(0, :wanted - (select count(*) from proposal where status = 'open'))
"""


def propose(engine: Engine, wanted: int) -> int:
    """Add proposals until so many are open; returns how many are."""
    with engine.begin() as connection:
        connection.execute(text(_PROPOSE), {"wanted": wanted})
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text("vacuum analyze proposal"))
        return int(connection.scalar(text("select count(*) from proposal where status = 'open'")) or 0)
