"""One reader per family of files: a path in, `Document` records out. A reader raises `ValueError` with a reason a person can act on."""
