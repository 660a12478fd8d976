"""Look at many units: detection keeps the cores busy while the next unit is read and the last one is measured."""

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial

from serayu.models.errors import BadInputError
from serayu.vision.detection import Detection
from serayu.vision.imagery import Imagery, Opened, Unit
from serayu.vision.privacy.guard import NO_GUARD, Guard
from serayu.vision.survey.result import Pictures, Problem, UnitResult
from serayu.vision.survey.work import Finder, Gauge, Look, finished, opened_or_problem, said, without

__all__ = ["looks"]

_AHEAD = 2
"""Units that are read ahead; with as many behind and one between, five pictures at most are in memory."""
_BEHIND = 2


def looks(
    units: Iterable[Unit], *, imagery: Imagery, finder: Finder, gauge: Gauge, guard: Guard = NO_GUARD
) -> Iterator[Look]:
    """Yield what came of each unit, in their order.

    The finder is called from one thread at a time, the caller's. The results are those of
    :func:`serayu.vision.survey.work.look`.

    Parameters
    ----------
    units
        What to look at; taken as far ahead as there is room.
    imagery, finder, gauge, guard
        As in `look`.
    """
    source = iter(units)
    opening: deque[tuple[Unit, Future[Opened | UnitResult]]] = deque()
    closing: deque[Future[Look]] = deque()
    with (
        ThreadPoolExecutor(_AHEAD, thread_name_prefix="serayu-survey-open") as openers,
        ThreadPoolExecutor(_BEHIND, thread_name_prefix="serayu-survey-measure") as finishers,
    ):

        def read_ahead() -> None:
            while len(opening) < _AHEAD and (unit := next(source, None)) is not None:
                opening.append((unit, openers.submit(opened_or_problem, unit, imagery)))

        read_ahead()
        while opening:
            unit, future = opening.popleft()
            opened = future.result()
            read_ahead()
            closing.append(
                _found(unit, opened, finder, partial(finished, gauge=gauge, guard=guard), finishers)
            )
            del future, opened  # the picture goes as soon as it is measured
            while len(closing) > _BEHIND:
                yield closing.popleft().result()
        while closing:
            yield closing.popleft().result()


def _found(
    unit: Unit,
    opened: Opened | UnitResult,
    finder: Finder,
    finish: Callable[[Unit, Opened, tuple[Detection, ...]], Look],
    finishers: ThreadPoolExecutor,
) -> Future[Look]:
    if isinstance(opened, UnitResult):
        return _settled(Look(opened, Pictures(None, ())))
    try:
        detections = finder.find(unit, opened)
    except BadInputError as error:
        return _settled(Look(without(unit, opened, Problem("labels", said(error))), Pictures(None, ())))
    return finishers.submit(finish, unit, opened, detections)


def _settled(look: Look) -> Future[Look]:
    future: Future[Look] = Future()
    future.set_result(look)
    return future
