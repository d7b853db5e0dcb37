"""Master data hub: one golden record for each customer, contract and product, with lineage to the change event."""

__version__ = "0.1.0"
