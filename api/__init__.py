"""The service over HTTP: the read API and the console for stewards. Composition is in `api.app`."""
