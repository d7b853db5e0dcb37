"""The shipped profile of the product platform: its contract and one mapping per table."""
