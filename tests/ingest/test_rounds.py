"""Going round alerts a little at a time: nobody is left out, and no turn takes long."""

from hypothesis import given
from hypothesis import strategies as st

from serayu.ingest.rounds import Round

NAMES = st.sets(st.text("abc", min_size=1, max_size=3), max_size=12)


class Watch:
    """A clock on which looking at one name takes a while."""

    def __init__(self, each_s: float) -> None:
        self.now_s, self.each_s = 0.0, each_s

    def __call__(self) -> float:
        self.now_s += self.each_s
        return self.now_s


def test_an_empty_round_is_complete_at_once() -> None:
    going = Round(1.0)
    assert list(going.turn([])) == []
    assert going.complete


def test_what_fits_into_one_turn_is_one_round_in_order() -> None:
    going = Round(1.0, monotonic=Watch(0.01))
    assert list(going.turn({"b", "a", "c"})) == ["a", "b", "c"]
    assert going.complete


def test_a_turn_ends_when_its_time_is_over_and_the_next_goes_on() -> None:
    going = Round(1.0, monotonic=Watch(0.6))
    assert list(going.turn("abcde")) == ["a", "b"]
    assert not going.complete
    assert list(going.turn("abcde")) == ["c", "d"]
    assert list(going.turn("abcde")) == ["e"]
    assert going.complete


def test_a_name_at_which_the_work_failed_comes_again() -> None:
    going = Round(1.0)
    turn = going.turn("abc")
    assert [next(turn), next(turn)] == ["a", "b"]
    turn.close()
    assert list(going.turn("abc")) == ["b", "c"]


def test_names_that_come_and_go_do_not_confuse_it() -> None:
    going = Round(1.0, monotonic=Watch(2.0))
    assert list(going.turn("bd")) == ["b"]
    assert list(going.turn("ac")) == ["c"]
    assert going.complete
    assert list(going.turn("ac")) == ["a"]


@given(NAMES, st.floats(0.01, 5.0))
def test_every_round_looks_at_every_name_once(names: set[str], each_s: float) -> None:
    going = Round(1.0, monotonic=Watch(each_s))
    seen: list[str] = []
    for _ in range(len(names) + 1):
        seen += going.turn(names)
        if going.complete:
            break
    assert going.complete
    assert seen == sorted(names)
