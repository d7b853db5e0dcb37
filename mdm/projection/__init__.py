"""Golden records in the field names, code lists and lengths of ERP systems. Pure; targets are data (`targets/`).

A projection never changes what is golden and never cuts a value: what does not fit is told as a finding beside it.
"""
