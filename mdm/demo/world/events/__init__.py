"""Change events of the sample world, one file per platform."""
