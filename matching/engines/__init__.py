"""Matching of whole stores: the released model over a table of records, on an engine that scales.

An engine finds and scores candidate pairs; what it returns are links, the same on every engine and the same that a
stream of single changes ends in. Clustering is `matching.clustering` everywhere.
"""
