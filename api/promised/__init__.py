"""Descriptions of the API as they were promised to callers, one per major version (`api.released`)."""
