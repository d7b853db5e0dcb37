"""Does a feed behave as the hub expects, in all the cases where change data capture is hard? Nothing is stored.

`journal` folds events in memory by the hub's own code, `evidence` reads a feed and delivers it in other orders, `cases`
say what each hard case is and what must hold, `run` goes through them - over the captures of real connectors that ship
with the hub, or over anybody's own feed.
"""
