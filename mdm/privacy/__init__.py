"""Erasing a person from the hub: what identifies somebody, what the law keeps, and how traces are blotted out. Pure."""
