"""Whether a whole picture may be kept as it is."""

__all__ = ["FINEST_GSD_MM", "may_store"]

FINEST_GSD_MM = 5.0
"""Finer pictures can show who somebody is: they are kept only blurred [project rule]."""


def may_store(gsd_mm: float | None) -> bool:
    """Return whether a whole picture may be stored or published without blurring.

    Parameters
    ----------
    gsd_mm
        Its ground sampling distance as it was taken, mm per px. None, not known, may not: it could be any.

    Examples
    --------
    >>> may_store(5.0), may_store(4.9), may_store(None)
    (True, False, False)
    """
    return gsd_mm is not None and gsd_mm >= FINEST_GSD_MM
