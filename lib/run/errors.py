"""The one exception that means "the user can mend this": bad input, found before anything is spent."""


class BadInput(ValueError):
    """Input that cannot be used; its text says in one line what was expected, what came and what to do."""
