"""The JSON forms of the API, written down once for the OpenAPI document and for tests.

Routes build their answers from stored values and do not pass them through these models again; tests do.
"""
