"""The sample world of the demo: see README.md."""
