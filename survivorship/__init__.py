"""Which of the members' values survive in the golden record, and why. Pure: values in, values out.

Rule sets are versioned documents in `rulesets/`. Knows canonical attributes, not platforms, feeds or storage.
"""
