"""Use cases: each is one unit of work, and only a unit of work commits."""
