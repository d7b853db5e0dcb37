"""Outside registries behind ports: files and services that say something about a number or a name.

Each module turns one official shape into plain values; none decides anything, none writes to the store.
"""
