"""The shipped profile of the CRM: its contract and one mapping per table."""
