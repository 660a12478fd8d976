"""Record ids: version 7 of RFC 9562, in order of time."""

import uuid

from hypothesis import given
from hypothesis import strategies as st

from serayu.models.uuid7 import uuid7

times_us = st.integers(0, (1 << 48) * 1000 - 1)


def test_the_example_of_the_rfc_has_the_same_time_version_and_variant() -> None:
    # RFC 9562 appendix A.6: 017F22E2-79B0-7CC3-98C4-DC0C0C07398F was made at 2022-02-22 19:22:22 UTC.
    made = uuid7(1_645_557_742_000_000)
    assert made.startswith("017f22e2-79b0-7")
    assert uuid.UUID(made).variant == uuid.RFC_4122


@given(first=times_us, second=times_us)
def test_ids_sort_as_their_times(first: int, second: int) -> None:
    ids = [uuid7(first), uuid7(second)]
    assert all(uuid.UUID(made).version == 7 and made == str(uuid.UUID(made)) for made in ids)
    if first != second:
        assert (ids[0] < ids[1]) == (first < second)


def test_ids_of_one_time_differ() -> None:
    assert len({uuid7(1) for _ in range(1000)}) == 1000
