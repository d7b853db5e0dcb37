"""The console for stewards: server-rendered pages over the same reads, roles and masks as the API.

Works without scripts; scripts only save keystrokes. Nothing is loaded from another host.
"""
