"""When a failed delivery is tried again."""

from serayu.models.delivery.settings import RetryRule

_MOST_DOUBLINGS = 40


def wait_us(attempts: int, *, rule: RetryRule, chance: float) -> int:
    """Return the wait after a number of failed attempts, microseconds.

    It doubles up to a longest one, of which one half is fixed and the other by chance, so that the recipients of a
    server that comes back do not all call at once (M. Brooker, "Exponential Backoff And Jitter", AWS Architecture
    Blog, 2015: equal jitter).

    Parameters
    ----------
    attempts
        How many have failed, from 1.
    rule
        First and longest wait.
    chance
        From 0 up to, not including, 1.

    Examples
    --------
    >>> [wait_us(n, rule=RetryRule(), chance=0.0) / 1e6 for n in (1, 2, 3, 20)]
    [1.0, 2.0, 4.0, 150.0]
    """
    doublings = min(max(attempts, 1) - 1, _MOST_DOUBLINGS)
    whole_us = min(rule.most_us, rule.first_us << doublings)
    return round(whole_us * (1 + chance) / 2)
