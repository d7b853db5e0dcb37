"""May a customer be created in ERP? Checks of its golden record, and a verdict that says what is missing and who acts.

Pure: the same subject and the same rule set give the same verdict, byte by byte. Sources outside the hub (VIES, GLEIF,
sanctions lists) are not connected; what only they could say is `unverifiable`, never passed and never failed.
"""
