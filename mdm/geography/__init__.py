"""Where addresses lie: codes of states and provinces by the names that people give them."""

from mdm.geography.regions import region_code

__all__ = ["region_code"]
