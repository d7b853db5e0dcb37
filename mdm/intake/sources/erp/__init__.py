"""The shipped profile of the ERP: its contract and one mapping per table."""
