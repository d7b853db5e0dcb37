"""Standardisation: from a source's value to its canonical form and to the folded form that matching compares.

One normaliser for stream and batch, pure and deterministic, so that a record standardised twice is the same record.
"""
