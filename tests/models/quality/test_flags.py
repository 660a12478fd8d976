import pytest

from serayu.models.quality import PRECEDENCE, QcTest, QualityFlag, failure_names, reason_names, worst
from serayu.models.quality.flags import FAIL_SHIFT


def test_flags_have_the_numbers_of_qartod() -> None:
    assert [int(flag) for flag in QualityFlag] == [1, 2, 3, 4, 9]


def test_precedence_runs_from_missing_to_fail() -> None:
    assert [int(flag) for flag in PRECEDENCE] == [9, 2, 1, 3, 4]


@pytest.mark.parametrize(
    ("flags", "expected"),
    [
        ([], 2),
        ([9, 9], 9),
        ([9, 2], 2),
        ([2, 1], 1),
        ([1, 9], 1),
        ([3, 1, 2], 3),
        ([3, 4, 9], 4),
    ],
    ids=str,
)
def test_the_flag_of_highest_precedence_wins(flags: list[int], expected: int) -> None:
    assert worst(flags) == worst(reversed(flags)) == expected


def test_a_number_that_is_no_flag_is_refused() -> None:
    with pytest.raises(ValueError, match="5"):
        worst([1, 5])


def test_every_test_has_one_bit_and_its_name_comes_back() -> None:
    for test in QcTest:
        assert reason_names(test) == (test.slug,)
        assert failure_names(test) == ()
        assert reason_names(test << FAIL_SHIFT) == failure_names(test << FAIL_SHIFT) == (test.slug,)
    assert reason_names(sum(QcTest)) == tuple(test.slug for test in QcTest)
    assert reason_names(0) == failure_names(0) == ()
