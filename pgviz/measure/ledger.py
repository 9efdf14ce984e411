"""The ledger: a trajectory typed by hand, and its advantages, computed backwards row by row."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pandas as pd

from pgviz import broken, estimators

GAMMA = 0.99  # of the page's ledger
LARGEST = 1e9  # a number typed by a visitor is cut here
MUCH = 0.01  # a change of Â that a reader can see, in parts of the largest reward

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

    def lambda_one_in_words(self) -> str:
        """Whether λ = 1 is G − V̂ here, with the row that shows it."""
        over = self.over.copy()
        over[-1] = True
        cuts = np.flatnonzero(over & ~self.terminated)
        if not len(cuts):
            return "Every sum here runs to a termination, so λ = 1 is G − V̂."
        gap = self.advantages(1.0) - self.returns_minus_values()
        worst = cuts[np.abs(gap[cuts]).argmax()]
        if gap[worst] == 0:
            return "V̂ of the next state is 0 wherever the sum is cut, so λ = 1 is G − V̂."
        why = "the time limit" if self.truncated[worst] else "the window"
        row, plain = (
            inside(float(x[worst]), ".4g").strip("()")
            for x in (self.advantages(1.0), self.returns_minus_values())
        )
        return (
            f"λ = 1 is not G − V̂ here: row {worst} is cut by {why}, so V̂ of the next state stays."
            f" There λ = 1 is {row} and G − V̂ is {plain}."
        ).replace("-", "−")

    def with_bug(self, bug: str) -> np.ndarray:
        """Â [T] with one of the BUGS."""
        heard = (self.rewards, self.values, self.next_values, self.terminated)
        if bug == LIMIT:
            return broken.truncation_as_termination(
                *heard, self.truncated, self.gamma, self.gae_lambda
            )
        if bug == LEAK:
            return broken.leak_across_the_end(*heard, self.gamma, self.gae_lambda)
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

    def in_words(self, num_rows: int) -> str:
        """The arithmetic of the row that was computed last."""
        if num_rows == 0:
            return "Nothing is computed yet. The last row comes first."
        t = len(self.rewards) - num_rows
        row = self.table(num_rows).iloc[t]
        if self.terminated[t]:
            why = "the episode terminated, so nothing comes after it: V̂(s′) counts as 0"
        elif self.truncated[t]:
            why = "the time limit cut it, so V̂ of the final observation counts, and Â′ does not"
        elif num_rows == 1:
            why = "the window ends here, so V̂ of what would come next counts"
        else:
            why = "the next row is known already"
        following = f"{self.gamma:.4g} · {inside(row['V̂(s′)'], '.4g')}"
        return (
            f"Row {t}: δ = {self.rewards[t]:.4g} + {following} − {inside(self.values[t], '.4g')} ="
            f" {row['δ']:.4f}; Â = δ + γλ Â′ = {row['δ']:.4f} + {inside(row['γλ Â′'], '.4f')} ="
            f" {row['Â']:.4f}. Here {why}."
        ).replace("-", "−")

    def difference(self, bug: str) -> str:
        """What a bug does, computed."""
        gap = self.with_bug(bug) - self.advantages()
        worst = int(np.abs(gap).argmax())
        size = float(np.abs([self.rewards, self.values, self.next_values]).max())
        if abs(gap[worst]) <= 1e-9 * size:
            return f"This bug changes nothing here: {self._why_harmless(bug)}."
        wrong, right = self.with_bug(bug)[worst], self.advantages()[worst]
        right = 0.0 if abs(right) <= 1e-9 * size else right
        much = MUCH * (float(np.abs(self.rewards).max()) or size)
        changed = int((np.abs(gap) > much).sum())
        back = self.gamma * self.gae_lambda
        return (
            f"✗ The bug changes {changed} of {len(gap)} rows by more than {much:.3g}, most of all row"
            f" {worst}: {wrong:.4g} where {right:.4g} is right."
            + (f" The error goes back row by row, {back:.4g} times as large each." if back else "")
        ).replace("-", "−")

    def _why_harmless(self, bug: str) -> str:
        """Why a bug that was met, or was not, changes no row."""
        cut = np.flatnonzero(self.truncated & ~self.terminated)
        if bug == LIMIT and len(cut):
            rows = ", ".join(map(str, cut[:3])) + (" …" if len(cut) > 3 else "")
            where = f"row {rows}" if len(cut) == 1 else f"rows {rows}"
            return f"V̂(final) is 0 in {where}. Type what the critic says there"
        if bug == LEAK and self.over[:-1].any():
            return "Â is 0 right after every end, so there is nothing to carry across"
        return "no row of this ledger meets it"


def inside(x: float, form: str) -> str:
    """A number behind a sign: in brackets if it is negative, and without a sign if it is 0."""
    text = format(x, form)
    if float(text) == 0:
        return text.removeprefix("-")
    return f"({text})" if x < 0 else text


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
