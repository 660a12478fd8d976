"""Look at units on other machines with dask.distributed: workers with one set of detectors each.

Units are sent one by one and kept in few hands, so that neither the scheduler nor this process holds many results; the
results are those of :func:`serayu.vision.survey.work.look`, byte for byte. Workers read the photos themselves: the
folder must lie at the same path on all machines.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from serayu.models.errors import BadInputError, plain
from serayu.vision.imagery import Unit
from serayu.vision.survey.pipeline import Engine
from serayu.vision.survey.recipe import Recipe
from serayu.vision.survey.work import Look, look

__all__ = ["cluster_engine", "looked"]

_AHEAD = 2  # units per worker thread that are sent before results are back
_TIMEOUT_S = 10.0


@contextmanager
def cluster_engine(*, address: str | None, workers: int, timeout_s: float = _TIMEOUT_S) -> Iterator[Engine]:
    """Connect to a scheduler, or start workers here, and yield the engine.

    Parameters
    ----------
    address
        Of the scheduler, e.g. ``tcp://10.0.0.5:8786``; None starts `workers` processes on this machine.
    workers
        How many, without an address.
    timeout_s
        How long to wait for a scheduler.

    Raises
    ------
    BadInputError
        `distributed` is not installed, or no scheduler answers.
    """
    try:
        from distributed import Client, LocalCluster  # noqa: PLC0415 -- extra `cluster`
    except ModuleNotFoundError:
        raise BadInputError(
            "needs dask: install Serayu with its extra `cluster`", field="--engine dask"
        ) from None
    if address is not None:
        try:
            client = Client(address, timeout=timeout_s)
        except (OSError, ValueError) as error:
            raise BadInputError(f"no scheduler answers: {plain(error)}", field="--address") from None
        with client:
            yield _engine(client)
        return
    with (
        LocalCluster(n_workers=workers, threads_per_worker=1, dashboard_address=None) as cluster,
        Client(cluster) as client,
    ):
        yield _engine(client)


def _engine(client: Any) -> Engine:  # noqa: ANN401 -- distributed has no types
    def looking(units: Sequence[Unit], recipe: Recipe) -> Iterator[Look]:
        from distributed import as_completed  # noqa: PLC0415 -- extra `cluster`

        source = iter(units)
        room = _AHEAD * max(1, sum(client.nthreads().values()))
        first = [unit for _, unit in zip(range(room), source, strict=False)]
        expected = recipe.finder().key
        waiting = as_completed([_sent(client, unit, recipe, expected) for unit in first])
        for future in waiting:
            done: Look = future.result()
            future.release()
            following = next(source, None)
            if following is not None:
                waiting.add(_sent(client, following, recipe, expected))
            yield done

    return looking


def _sent(client: Any, unit: Unit, recipe: Recipe, expected: str) -> Any:  # noqa: ANN401 -- distributed has no types
    return client.submit(looked, unit, recipe, expected=expected, pure=False)


def looked(unit: Unit, recipe: Recipe, *, expected: str) -> Look:
    """Look at a unit in a worker.

    Raises
    ------
    BadInputError
        What would look here is not what is expected: results of both must not be mixed.
    """
    finder = recipe.finder()
    if finder.key != expected:
        raise BadInputError(
            f"a worker would look with {finder.key}, not {expected}; "
            "give --precision fp32, and the same weights on all machines"
        )
    return look(unit, imagery=recipe.imagery, finder=finder, gauge=recipe.gauge, guard=recipe.guard())
