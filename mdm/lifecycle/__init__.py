"""Order to revenue: do contract, subscription, entitlement, usage, invoice and posting tell the same story?

Pure. `material` is what the hub knows, `assemble` turns it into cases of facts that belong together, `rules` says what
may be wrong with a case, `reconciliation` runs them all. `usage_revenue` leads from use to revenue, `coverage` says for
what that is sold it does, `billed_usage` holds what is billed against what was used. `quote_to_cash` and
`usage_to_revenue` say how far each contract and each usage batch got, stage by stage (`process`).
"""
