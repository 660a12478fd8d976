"""One forecast out of several methods, weighted by what each was worth on storms it had not seen."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.optimize import nnls

from serayu.models.flood.frame import FloatArray, IntArray
from serayu.models.flood.methods.learner import Learner
from serayu.models.flood.table import Table

__all__ = ["Blend", "blend_weights", "guesses_of", "held_out_blend", "name_of", "usual_weights"]

_TOWARDS_EQUAL = 0.02
_TOWARDS_GIVEN = 0.3
_BEST = ("trees", "boosting", "network")
_NAMED = 0.05


def blend_weights(
    guesses: FloatArray, changes: FloatArray, weight: FloatArray, *, towards: FloatArray | None = None
) -> FloatArray:
    """Return non-negative weights of the methods for one target.

    Parameters
    ----------
    guesses
        Held-out mean changes, shape (n, methods).
    changes
        What became of it, shape (n,).
    weight
        Of each row, shape (n,).
    towards
        Weights to be drawn to with 0.3 of the mean sum of squares of a method, shape (methods,); ``None`` draws a
        little (0.02 of it) to equal weights.

    Returns
    -------
    numpy.ndarray
        Shape (methods,). Stacked regression (Breiman 1996) by non-negative least squares; as nothing makes
        the weights sum to one, the rest goes to persistence. Drawn to given weights, for there are few
        storms, and a plain mean of good forecasts is hard to beat (Clemen 1989) [project proposal].
    """
    count = guesses.shape[1]
    gram = (guesses * weight[:, None]).T @ guesses
    side = (guesses * weight[:, None]).T @ changes
    speaks = np.diag(gram) > 0
    share = _TOWARDS_EQUAL if towards is None else _TOWARDS_GIVEN
    pull = share * np.trace(gram) / count + 1e-12
    gram = gram + pull * np.eye(count)
    side = side + pull * (np.full(count, 1.0 / count) if towards is None else towards)
    factor = np.linalg.cholesky(gram).T
    return np.where(speaks, nnls(factor, np.linalg.solve(factor.T, side))[0], 0.0)


def usual_weights(names: Sequence[str]) -> FloatArray | None:
    """Return equal weights of the methods that were best on the development series; ``None`` without two of them."""
    best = np.array([name in _BEST for name in names], dtype=np.float64)
    return best / best.sum() if best.sum() > 1 else None


def held_out_blend(
    guesses: FloatArray,
    changes: FloatArray,
    fold_of: IntArray,
    usable: IntArray,
    *,
    towards: FloatArray | None = None,
) -> FloatArray:
    """Return the blend of each row with weights that its own fold had no part in.

    Parameters
    ----------
    guesses
        Shape (n, methods), held out.
    changes
        Shape (n,); read at *usable* only.
    fold_of
        Shape (n,).
    usable
        Positions of rows with a known truth.
    towards
        As in :func:`blend_weights`.
    """
    blended = np.full(len(guesses), np.nan)
    for fold in np.unique(fold_of):
        others = usable[fold_of[usable] != fold]
        held = fold_of == fold
        weights = blend_weights(guesses[others], changes[others], np.ones(len(others)), towards=towards)
        blended[held] = guesses[held] @ weights
    return blended


def guesses_of(learners: Sequence[Learner], table: Table) -> FloatArray:
    """Return the change that each fitted method says, shape (methods, n, targets).

    Raises
    ------
    ValueError
        When a method corrects the ridge and the ridge is not among them.
    """
    said = [learner.predict(table) for learner in learners]
    names = [learner.name for learner in learners]
    if any(learner.on_ridge for learner in learners):
        straight = said[names.index("ridge")]
        said = [
            each + straight if learner.on_ridge else each
            for learner, each in zip(learners, said, strict=True)
        ]
    return np.stack(said)


def name_of(names: Sequence[str], weights: FloatArray) -> str:
    """Return what a column of weights is called: a method's own name, or the blend with its shares."""
    order = np.argsort(-weights, kind="stable")
    named = [(names[k], float(weights[k])) for k in order if weights[k] >= _NAMED]
    if not named:
        return "persistence"
    if len(named) == 1:
        return str(named[0][0])
    return "blend(" + ", ".join(f"{name} {share:.2f}" for name, share in named) + ")"


@dataclass(eq=False)
class Blend:
    """Fitted methods and their weights.

    Parameters
    ----------
    learners
        Fitted; with the ridge where one of them corrects it.
    weights
        Shape (methods, targets), at least 0.
    """

    learners: list[Learner]
    weights: FloatArray

    def guesses(self, table: Table) -> FloatArray:
        """Return what each method says, shape (methods, n, targets)."""
        return guesses_of(self.learners, table)

    def combine(self, guesses: FloatArray) -> FloatArray:
        """Return the weighted mean change, shape (n, targets)."""
        return np.asarray(np.einsum("mnk,mk->nk", guesses, self.weights), dtype=np.float64)
