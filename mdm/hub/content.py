"""Reading what a hub holds as a value that can be compared with another hub."""

from mdm.core.comparison import Content
from mdm.model.ids import RESOLUTION_ORDER
from mdm.store import mirror, whole
from mdm.store.unit_of_work import UnitOfWork


def read_content(work: UnitOfWork) -> Content:
    """All live rows, memberships and golden values, as of the transaction."""
    rows = {head.key: head.row or {} for head in mirror.all_heads(work) if not head.deleted}
    entities = {}
    for domain in RESOLUTION_ORDER:
        members = whole.memberships(work, domain)
        values = dict(whole.current_values(work, domain))
        entities[domain] = {
            tuple(members.get(entity_id, ())): values.get(entity_id, {}) for entity_id in members.keys() | values.keys()
        }
    return Content(rows, entities)
