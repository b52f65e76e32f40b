"""python -m tests.bench.presence: how well the presence model tells kept from lost, beside published figures.

Every figure is cross-validated: rows of one document (or topic, or session) are never on both sides. "own" is trained
on the other documents of the same set, "mixed" on all three sets as the shipped coefficients are.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np

from conversations.audit.matching import FORGOTTEN_AT
from tests.bench.logistic import Array, auc, balanced, fit, folds, threshold
from tests.bench.pairs import SHARED, Pairs, bench, gold

#: Quoted; the balanced accuracy of the LLM judges is computed, from the grades in the same file.
QUOTED = {
    "summhay": "on all three topics idf recall in the best sentence .887 / .816, a lexical logistic model .892 / .814",
    "realsumm": "content-word recall .816 / .747, a lexical logistic model .836 / .770, one crowd worker - / .909",
}
#: Shares of the kept facts that may be called lost.
ALARMS = (0.02, 0.03, 0.05)


def held_out(pairs: Pairs, groups: Sequence[str], count: int, others: Sequence[Pairs] = ()) -> tuple[Array, Array]:
    """Scores of each row by a model that saw no row of its group, and whether each is called present."""
    fold = folds(groups, count)
    scores, called = np.zeros(len(fold)), np.zeros(len(fold))
    for number in range(count):
        train, test = fold != number, fold == number
        rows, labels = [pairs.rows[train]], [pairs.labels[train]]
        rows += [other.rows for other in others]
        labels += [other.labels for other in others]
        weight = np.concatenate([np.full(len(part), 1000 / len(part)) for part in labels])
        model = fit(np.vstack(rows), np.concatenate(labels), weight)
        scores[test] = model.predict(pairs.rows[test])
        called[test] = scores[test] >= threshold(pairs.labels[train], model.predict(pairs.rows[train]))
    return scores, called


def line(name: str, pairs: Pairs, result: tuple[Array, Array]) -> str:
    """One row of the table: AUC and balanced accuracy."""
    return f"{name:44} {auc(pairs.labels, result[0]):6.3f} {balanced(pairs.labels, result[1] > 0):6.3f}"


def judges(pairs: list[dict[str, Any]]) -> list[str]:
    """Balanced accuracy of the LLM judges on the same pairs."""
    labels = np.array([float(pair["label"]) for pair in pairs])
    names = sorted(pairs[0]["llm"])
    grades = {name: np.array([pair["llm"][name] >= 1 for pair in pairs]) for name in names}
    return [f"  {name:42} {'-':>6} {balanced(labels, grade):6.3f}" for name, grade in grades.items()]


def lost(pairs: Pairs, scores: Array) -> list[str]:
    """Of the lost facts of the sessions, how many can be named when so few kept ones may be called lost.

    The two wordings of a fact stand in neighbouring rows; their mean is its score, as in the auditor.
    """
    mean, status = scores.reshape(-1, 2).mean(axis=1), [fact["status"] for fact in pairs.extra[::2]]
    kept = np.array([s == "kept" for s in status])
    weighty = ~kept & np.array([fact["importance"] >= 2 for fact in pairs.extra[::2]])
    rows = [f"  both wordings: AUC {auc(kept.astype(float), mean):.3f}"]
    called = mean <= FORGOTTEN_AT
    shares = f"{called[kept].mean():.1%} of the kept, {called[~kept].mean():.0%} of the lost"
    rows.append(f"  called lost at {FORGOTTEN_AT}, as shipped: {shares}")
    for share in ALARMS:
        bar = np.quantile(mean[kept], share)
        rows.append(
            f"  {share:.0%} of the kept called lost: {(mean[~kept] < bar).mean():.0%} of the lost found, "
            f"{(mean[weighty] < bar).mean():.0%} of the important ones"
        )
    return rows


def main() -> None:
    """Print the tables; says so where a set is not at hand."""
    sets = {name: found for name in ("summhay", "realsumm") if (found := bench(name)) is not None}
    if (labelled := gold()) is not None:
        sets["sessions"] = labelled
    missing = {"summhay", "realsumm", "sessions"} - set(sets)
    if missing:
        print(f"Not at hand under {SHARED.name}/: {', '.join(sorted(missing))}.")
    print(f"{'':44} {'AUC':>6} {'BA':>6}")
    for name, pairs in sets.items():
        others = [other for key, other in sets.items() if key != name]
        count = len(set(pairs.doc)) if name == "sessions" else 5
        print(line(f"{name}, own, by document", pairs, held_out(pairs, pairs.doc, count)))
        if name == "summhay":
            print(line(f"{name}, own, by topic", pairs, held_out(pairs, pairs.topic, len(set(pairs.topic)))))
        mixed = held_out(pairs, pairs.doc, count, others)
        print(line(f"{name}, mixed, by document", pairs, mixed))
        print(
            f"  ({len(pairs.labels)} pairs; quoted: {QUOTED[name]})"
            if name in QUOTED
            else f"  ({len(pairs.labels)} pairs)"
        )
        for row in judges(pairs.extra) if name == "summhay" else lost(pairs, mixed[0]) if name == "sessions" else ():
            print(row)


if __name__ == "__main__":
    main()
