"""The ledger: a trajectory typed by hand, and its advantages, computed backwards row by row."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pandas as pd

from pgviz import broken, estimators

GAMMA = 0.99  # of the page's ledger
LARGEST = 1e9  # a number typed by a visitor is cut here

RIGHT = "nothing"
LIMIT = "a time limit counts as a fall"
LEAK = "the sum runs on across an end"


@dataclass(frozen=True, eq=False)
class Ledger:
    """What was typed, as arrays [T], and what follows from it.

    next_values is V̂ of the next row, except where an episode or the window ends: there it is
    what the critic says about the final observation.
    """

    rewards: np.ndarray
    values: np.ndarray
    next_values: np.ndarray
    terminated: np.ndarray
    truncated: np.ndarray
    gamma: float
    gae_lambda: float

    @classmethod
    def of(cls, typed: pd.DataFrame, gamma: float, gae_lambda: float) -> "Ledger":
        """A table with the columns COLUMNS; what is empty counts as 0, or as False."""
        numbers = typed[["reward", "value", "final_value"]].apply(pd.to_numeric, errors="coerce")
        numbers = numbers.fillna(0.0).clip(-LARGEST, LARGEST).to_numpy(float)
        ends = typed[["terminated", "truncated"]].astype("boolean").fillna(False).to_numpy(bool)
        rewards, values, final = numbers.T
        terminated, truncated = ends.T
        following = np.append(values[1:], 0.0)
        last = np.arange(len(values)) == len(values) - 1
        next_values = np.where(terminated | truncated | last, final, following)
        return cls(rewards, values, next_values, terminated, truncated, gamma, gae_lambda)

    @property
    def over(self) -> np.ndarray:
        """Where an episode ends."""
        return self.terminated | self.truncated

    def advantages(self, gae_lambda: float | None = None) -> np.ndarray:
        """Â [T], by the function that trains."""
        return estimators.gae(
            self.rewards,
            self.values,
            self.next_values,
            self.terminated,
            self.gamma,
            self.gae_lambda if gae_lambda is None else gae_lambda,
            self.over,
        )

    def returns_minus_values(self) -> np.ndarray:
        """G − V̂ [T]: the rewards up to an end, whatever ended the episode, and no V̂ behind it."""
        return estimators.baselined_reward_to_go(self.rewards, self.values, self.gamma, self.over)

    def with_bug(self, bug: str) -> np.ndarray:
        """Â [T] with one of the bugs."""
        steps = (self.rewards, self.values, self.next_values, self.terminated)
        if bug == LIMIT:
            return broken.truncation_as_termination(
                *steps, self.truncated, self.gamma, self.gae_lambda
            )
        if bug == LEAK:
            return broken.leak_across_the_end(*steps, self.gamma, self.gae_lambda)
        return self.advantages()

    def table(self, num_rows: int, bug: str = RIGHT) -> pd.DataFrame:
        """t, V̂(s′), δ, what is carried back, Â, and both ends of λ; the last `num_rows` rows only."""
        errors = estimators.td_errors(
            self.rewards, self.values, self.next_values, self.terminated, self.gamma
        )
        found = self.advantages()
        carried = self.gamma * self.gae_lambda * np.where(self.over, 0.0, np.append(found[1:], 0.0))
        columns = {
            "V̂(s′)": np.where(self.terminated, 0.0, self.next_values),
            "δ": errors,
            "γλ Â′": carried,
            "Â": found,
            "λ = 0": self.advantages(0.0),
            "λ = 1": self.advantages(1.0),
        }
        if bug != RIGHT:
            columns["✗ Â"] = self.with_bug(bug)
        hidden = np.arange(len(found)) < len(found) - num_rows
        rows = {name: np.where(hidden, np.nan, column) for name, column in columns.items()}
        return pd.DataFrame({"t": np.arange(len(found))} | rows)


def typed(
    rewards: list[float],
    values: list[float],
    final: dict[int, float] | None = None,
    terminated: tuple[int, ...] = (),
    truncated: tuple[int, ...] = (),
) -> pd.DataFrame:
    """A ledger as a visitor would type it."""
    rows = range(len(rewards))
    return pd.DataFrame(
        {
            "reward": [float(x) for x in rewards],
            "value": [float(x) for x in values],
            "final_value": [float((final or {}).get(t, 0.0)) for t in rows],
            "terminated": [t in terminated for t in rows],
            "truncated": [t in truncated for t in rows],
        }
    )


LEDGERS: dict[str, Callable[[], pd.DataFrame]] = {
    "a fall": lambda: typed([1] * 6, [5.5, 4.8, 4.1, 2.6, 1.9, 0.7], terminated=(5,)),
    "a time limit": lambda: typed([1] * 6, [9, 9.5, 9, 9.2, 9.1, 9.3], {5: 9.4}, truncated=(5,)),
    "two episodes": lambda: typed(
        [1, 1, 1, 1, 1, 1],
        [2.5, 2.1, 0.8, 6, 6.2, 6.1],
        {5: 6.3},
        terminated=(2,),
        truncated=(5,),
    ),
    "500 ones": lambda: typed([1] * 500, [100] * 500, {499: 100.0}, truncated=(499,)),
}
