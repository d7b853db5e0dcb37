"""One document per ERP system; `README.md` says how to read them."""
