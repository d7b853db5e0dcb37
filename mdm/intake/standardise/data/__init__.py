"""Data of the standardisers: word lists, legal forms."""
