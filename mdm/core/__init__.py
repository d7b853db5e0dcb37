"""Pure composition: what a batch of changes means for everything the hub knows.

No input or output, no clock, no settings: values in, values out. Simulation, replay and verification call the same
functions as the live path.
"""
