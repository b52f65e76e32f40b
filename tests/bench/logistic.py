"""A logistic regression, folds and two measures: what fitting and measuring need, in numpy."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

#: Strength of the penalty on standardised weights, for every 1,000 units of row weight.
PENALTY = 3.3


@dataclass(frozen=True)
class Logistic:
    """P(1) = 1 / (1 + exp(-(bias + x · weights)))."""

    weights: Array
    bias: float

    def predict(self, rows: Array) -> Array:
        """The probability of each row."""
        return np.asarray(1 / (1 + np.exp(-(rows @ self.weights + self.bias))))


def fit(rows: Array, labels: Array, weight: Array) -> Logistic:
    """Newton's method on the penalised likelihood of standardised columns; 30 steps are far past convergence."""
    mean = np.average(rows, axis=0, weights=weight)
    scale = np.sqrt(np.average((rows - mean) ** 2, axis=0, weights=weight)) + 1e-9
    x = np.hstack([(rows - mean) / scale, np.ones((len(rows), 1))])
    penalty = np.full(x.shape[1], PENALTY * weight.sum() / 1000)
    penalty[-1] = 0
    beta = np.zeros(x.shape[1])
    for _ in range(30):
        p = 1 / (1 + np.exp(-(x @ beta)))
        slope = x.T @ (weight * (p - labels)) + penalty * beta
        curve = (x * (weight * p * (1 - p))[:, None]).T @ x + np.diag(penalty)
        beta -= np.linalg.solve(curve, slope)
    weights = beta[:-1] / scale
    return Logistic(weights, float(beta[-1] - weights @ mean))


def folds(groups: Sequence[str], count: int) -> NDArray[np.int64]:
    """The fold of each row; rows of one group share it."""
    names = sorted(set(groups))
    order = np.random.default_rng(0).permutation(len(names))
    of = {name: int(order[i]) % count for i, name in enumerate(names)}
    return np.array([of[group] for group in groups])


def auc(labels: Array, scores: Array) -> float:
    """Area under the ROC curve, ties counted half."""
    _values, inverse, counts = np.unique(scores, return_inverse=True, return_counts=True)
    ranks = (np.cumsum(counts) - (counts - 1) / 2)[inverse]
    ones = labels.sum()
    return float((ranks[labels == 1].sum() - ones * (ones + 1) / 2) / (ones * (len(labels) - ones)))


def threshold(labels: Array, scores: Array) -> float:
    """The score from which a row is called 1 so that balanced accuracy is best."""
    order = np.argsort(scores)
    ones, zeros = labels[order], 1 - labels[order]
    balance = (ones.sum() - np.cumsum(ones)) / ones.sum() + np.cumsum(zeros) / zeros.sum()
    best = int(balance.argmax())
    return float(scores[order][best : best + 2].mean())


def balanced(labels: Array, called: NDArray[np.bool_]) -> float:
    """Balanced accuracy."""
    return float((called[labels == 1].mean() + (~called[labels == 0]).mean()) / 2)
