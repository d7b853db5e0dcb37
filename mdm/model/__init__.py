"""The vocabulary of the hub: frozen values and nothing else.

Standard library only. Every other package may import this one; this one imports none of them.
"""
