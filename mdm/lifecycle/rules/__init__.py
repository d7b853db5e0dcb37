"""The rules: small functions that look at one case and say what is wrong with it, if anything."""
