"""The shipped profile of the billing platform: its contract and one mapping per table."""
