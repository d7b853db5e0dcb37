"""Every screen of the console on the sample world, by name: what accessibility is checked on and what is pictured."""

from typing import Any

from sqlalchemy import Engine, text

from mdm.hub.reconcile import reconcile


def screens(engine: Engine) -> dict[str, str]:
    """Addresses by name. The world must hold a refused message and a proposal for their screens to be among them."""
    asked = """select task_id from steward_task t where status = 'open' and domain = 'customer' and {} exists (
                 select from proposal p where p.task_id = t.task_id and p.status = 'open')
               order by kind <> 'conflict', task_id limit 1"""
    task, waiting = _one(engine, asked.format("not")), _one(engine, asked.format(""))
    customer = _one(
        engine,
        """select entity_id from crosswalk join source_record using (rec_id) where domain = 'customer'
           group by entity_id order by count(*) desc, entity_id limit 1""",
    )
    child = _one(
        engine,
        """select x.entity_id from record_reference f join crosswalk x using (rec_id) where f.role = 'parent'
           order by 1 limit 1""",
    )
    invoice = _one(
        engine,
        """select 'billing/invoice/' || key from source_record where kind = 'invoice' and attributes->>'status' = 'paid'
           order by rec_id limit 1""",
    )
    finding = reconcile(engine).findings[0]
    letter = _one(engine, "select max(dead_letter_id) from dead_letter where status = 'open'")
    proposal = _one(engine, "select min(proposal_id) from proposal where status = 'open' and kind <> 'discard'")
    found = {
        "home": "/console/",
        "reviews": "/console/reviews",
        "reviews-empty": "/console/reviews?country=AQ",
        "review": f"/console/reviews/{task}?columns=all",
        "preview": f"/console/reviews/{task}/preview",
        "customers": "/console/customers",
        "contracts": "/console/contracts",
        "products": "/console/products",
        "customer": f"/console/customers/{customer}",
        "customer-sources": f"/console/customers/{customer}/sources",
        "customer-related": f"/console/customers/{customer}/related",
        "customer-hierarchy": f"/console/customers/{child or customer}/hierarchy",
        "customer-readiness": f"/console/customers/{customer}/readiness",
        "customer-history": f"/console/customers/{customer}/history",
        "customer-graph": f"/console/customers/{customer}/graph",
        "customer-exceptions": f"/console/customers/{customer}/exceptions",
        "customer-access": f"/console/customers/{customer}/access",
        "customer-then": f"/console/customers/{customer}/history?valid_at=2024-03-01T00:00:00",
        "customer-override": f"/console/customers/{customer}/override/name",
        "search": "/console/search?q=gmbh",
        "search-nothing": "/console/search?q=nobodyofthisname",
        "trace": f"/console/trace/{invoice}",
        "exceptions": "/console/exceptions",
        "onboarding": "/console/onboarding",
        "approvals": "/console/approvals",
        "steps": "/console/steps",
        "reconciliation": "/console/reconciliation",
        "finding": f"/console/reconciliation/findings/{finding.rule}/{'/'.join(finding.subject)}",
        "close": "/console/close",
        "executive": "/console/executive",
        "stuck": "/console/reconciliation/stuck",
        "quality": "/console/quality",
        "blind-samples": "/console/quality/samples",
        "quality-stewards": "/console/quality/stewards",
        "releases": "/console/releases",
        "release": "/console/releases/1",
        "release-edit": "/console/releases/new",
        "schemas": "/console/schemas",
        "schema": "/console/schemas/crm/account",
        "contract-new": "/console/schemas/proposals/new",
        "contract-proposals": "/console/schemas/proposals",
        "mapping": "/console/mapping",
        "mapping-attributes": "/console/mapping/attributes",
        "mapping-revenue": "/console/mapping/revenue",
        "mapping-table": "/console/mapping/crm/account",
        "ownership": "/console/ownership",
        "scorecard": "/console/governance",
        "identifiers": "/console/identifiers",
        "replay": "/console/replay",
        "admin": "/console/admin",
        "admin-policies": "/console/admin?tab=policies",
        "admin-preview": f"/console/admin?tab=preview&id={customer}&role=reader",
        "privacy": "/console/privacy?q=gmbh",
        "erasure-new": f"/console/privacy/new?entity={customer}",
        "pipeline": "/console/pipeline",
        "audit": "/console/audit",
        "help": "/console/help",
        "problem": "/console/customers/cus_nobody",
    }
    if letter is not None:
        found |= {"exception-group": f"/console/exceptions/groups/{letter}",
                  "refused-message": f"/console/exceptions/letters/{letter}"}  # fmt: skip
    rows = _one(engine, "select min(exception_id) from exception where code = 'RECORD_WITHOUT_USABLE_KEY'")
    if rows is not None:
        found["exception-records"] = f"/console/exceptions/drift/{rows}/records"
    if (sample := _one(engine, "select max(sample_id) from blind_sample")) is not None:
        found |= {"blind-report": f"/console/quality/samples/{sample}",
                  "blind-pair": f"/console/quality/samples/{sample}/next"}  # fmt: skip
    jobs = {"bulk-look": "select min(job_id) from bulk_job where purpose = 'look'",
            "bulk-job": "select min(job_id) from bulk_job where purpose = 'answer'"}  # fmt: skip
    for name, query in jobs.items():
        if (job := _one(engine, query)) is not None:
            found[name] = f"/console/bulk/{job}"
    if (job := _one(engine, "select min(job_id) from replay_job")) is not None:
        found["replay-job"] = f"/console/replay/{job}"
    if (job := _one(engine, "select min(job_id) from export_job")) is not None:
        found["export-job"] = f"/console/exports/{job}"
    if (draft := _one(engine, "select min(release_id) from rule_release where status = 'draft'")) is not None:
        found["release-change"] = f"/console/releases/{draft}/edit"
    erasure = _one(engine, "select min(erasure_id) from erasure")
    if erasure is not None:
        found["erasure"] = f"/console/privacy/{erasure}"
    discard = _one(engine, "select min(proposal_id) from proposal where status = 'open' and kind = 'discard'")
    if discard is not None:
        found["proposal-discard"] = f"/console/approvals/{discard}"
    own = _one(engine, "select min(proposal_id) from proposal where status = 'open' and kind = 'override'")
    if own is not None:
        found["proposal-own"] = f"/console/approvals/{own}"
    if waiting is not None:
        found["review-waiting"] = f"/console/reviews/{waiting}"
    contracts = {"contract-proposal": "base is not null", "contract-proposal-own": "base is null"}
    for name, which in contracts.items():
        waits = f"select min(proposal_id) from contract_proposal where status = 'proposed' and {which}"
        if (contract := _one(engine, waits)) is not None:
            found[name] = f"/console/schemas/proposals/{contract}"
    if proposal is not None:
        found["proposal"] = f"/console/approvals/{proposal}"
    return found


def _one(engine: Engine, query: str) -> Any:
    with engine.connect() as connection:
        return connection.scalar(text(query))
