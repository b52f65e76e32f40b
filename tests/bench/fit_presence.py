"""python -m tests.bench.fit_presence: fits the coefficients of the presence model and writes them into the package."""

import json
from importlib.resources import files
from pathlib import Path

import numpy as np

from conversations.audit.presence import NAMES
from tests.bench.logistic import Logistic, fit
from tests.bench.pairs import Pairs, bench, gold

ORIGIN = (
    "Fitted with tests/bench/fit_presence.py on three sets of equal weight: SummHay (salesforce/summary-of-a-haystack, "
    "Apache-2.0), REALSumm (neulab/REALSumm, CC BY 4.0), and hand labels of compactions of agent sessions."
)


def fit_all(sets: list[Pairs]) -> Logistic:
    """One model for all sets, each with the same total weight whatever its size."""
    weight = np.concatenate([np.full(len(pairs.labels), 1000 / len(pairs.labels)) for pairs in sets])
    return fit(np.vstack([p.rows for p in sets]), np.concatenate([p.labels for p in sets]), weight)


def main() -> None:
    """Write presence.json; needs all three sets."""
    sets = [pairs for pairs in (bench("summhay"), bench("realsumm"), gold()) if pairs is not None]
    if len(sets) < 3:
        raise SystemExit("The labelled sets are not beside the repository; the coefficients stay as they are.")
    model = fit_all(sets)
    weights = {name: round(float(weight), 4) for name, weight in zip(NAMES, model.weights, strict=True)}
    stored = {"origin": ORIGIN, "bias": round(model.bias, 4), "weights": weights}
    path = Path(str(files("conversations.audit").joinpath("presence.json")))
    path.write_text(json.dumps(stored, indent=2) + "\n", encoding="utf-8")
    print(json.dumps(stored, indent=2))


if __name__ == "__main__":
    main()
