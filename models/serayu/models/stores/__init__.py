"""Stores of observations and of the register; each adapter behind a port of `serayu.models.ports`."""
