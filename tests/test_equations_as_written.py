"""The equations of the unrolling, read symbol by symbol, give the numbers that stand beside them."""

import re
from functools import partial

import numpy as np
import pytest
from random_worlds import random_world

from pgviz.exact.values import action_values, state_distributions, state_transitions
from pgviz.proofs.derivation import derivative, policy_at, unrolling, values_at
from pgviz.proofs.receipts import read_out
from pgviz.worlds.named import ladder, short_corridor, survival

TERMS = 4  # k = 0 … 4, as far as the line of k steps goes


def symbols(world):
    """What each symbol of an equation is in this world: its indices and its numbers.

    t step, k number of terms, s state, S next state, a action, f and b the row and column of θ.
    A symbol without a t is one table for all steps, and with a horizon that can only be the first.
    """
    theta = np.asarray(world.theta)
    values = derivative(partial(values_at, world), theta)
    d_pi = derivative(partial(policy_at, world), theta)
    q, moves = action_values(world), state_transitions(world)
    terms, steps = np.arange(TERMS + 1), np.arange(world.horizon or TERMS)
    later, now = (values, values) if world.horizon is None else (values[1:], values[:-1])
    visits = [world.start]
    for _ in range(max(len(terms), len(steps))):
        visits.append(visits[-1] @ moves)
    table = {
        r"\gamma^t": ("t", world.gamma**steps),
        r"\gamma^k": ("k", world.gamma**terms),
        r"\gamma": ("", np.array(world.gamma)),
        r"\sum_{t<k}": ("kt", 1.0 * (steps < terms[:, None])),
        "d_t(s)": ("ts", np.array(visits[: len(steps)])),
        "d_k(s)": ("ks", np.array(visits[: len(terms)])),
        r"\pi(a|s)": ("sa", world.policy),
        r"P_\pi(s'|s)": ("sS", moves),
        r"\nabla\pi(a|s)": ("safb", d_pi),
        r"\nabla\log\pi(a|s)": ("safb", d_pi / world.policy[:, :, None, None]),
    }
    onward = world.gamma * np.einsum("sak,...kfb->...safb", world.transitions[:, :, :-1], later)
    local = np.einsum("safb,...sa->...sfb", d_pi, q)
    first = (lambda x: x) if world.horizon is None else (lambda x: x[0])
    occupied = np.linalg.solve(np.eye(len(moves)) - world.gamma * moves.T, world.start)
    if world.horizon is not None:
        occupied = world.gamma**steps @ state_distributions(world)
        table |= {
            "Q_t(s,a)": ("tsa", q),
            r"\nabla Q_t(s,a)": ("tsafb", onward),
            r"\varphi_t(s)": ("tsfb", local),
            r"\nabla V_t(s)": ("tsfb", now),
            r"\nabla V_{t+1}(s')": ("tSfb", later),
            r"\nabla V_k(s)": ("ksfb", values[: len(terms)]),
        }
    return table | {
        r"\eta_\gamma(s)": ("s", occupied),
        "Q(s,a)": ("sa", first(q)),
        r"\nabla Q(s,a)": ("safb", first(onward)),
        r"\varphi(s)": ("sfb", first(local)),
        r"\nabla V(s)": ("sfb", first(now)),
        r"\nabla V(s')": ("Sfb", first(later)),
    }


def evaluated(equation, world):
    """The right side of an equation: every factor looked up, every sum written under its Σ."""
    table = symbols(world)
    plain = re.sub(r"\\,|\\quad.*|\\big(?![a-z])", "", equation)
    left, right = plain.split(" = ")
    free = table[left][0] if left in table else "fb"
    if r"\sum_{t<k}" in right:
        free = "k" + free
    outside, _, inside = right.rpartition("[")
    terms = [outside + term for term in inside.rstrip("]").split(" + ")]
    factor = re.compile("|".join(map(re.escape, sorted(table, key=len, reverse=True))))
    total = 0.0
    for term in terms:
        found = [table[name] for name in factor.findall(term)]
        summed = {x.replace("s'", "S") for x in re.findall(r"\\sum_\{?(\w'?)", term)}
        indices = ",".join(index for index, _ in found)
        used = set(indices) - set(free) - {","}
        assert summed == used, term
        assert not re.sub(r"\\sum_(\w|\{[^}]*\})", "", factor.sub("", term)).strip(), term
        total = total + np.einsum(f"{indices}->{free}", *(x for _, x in found))
    return total


WORLDS = (
    ladder(),
    random_world(4, 3, 2, None, 0.7, 5),
    random_world(5, 2, 3, 2, 0.9, 4),
    random_world(5, 3, 2, None, 0.9),
    short_corridor(0.3),
    survival(0.7),
)


@pytest.mark.parametrize("world", WORLDS, ids=lambda w: f"{w.name}, horizon {w.horizon}")
@pytest.mark.parametrize("line", unrolling, ids=[line.title for line in unrolling])
def test_the_equation_as_it_is_written_gives_the_number_beside_it(line, world):
    receipt = line(world)
    literally = evaluated(receipt.equation, world)
    assert np.shape(literally) == np.shape(receipt.right)
    np.testing.assert_allclose(literally, receipt.right, atol=1e-11)


def test_on_the_ladder_one_q_for_all_steps_is_not_the_gradient():
    stationary = r"\nabla J = \sum_s \eta_\gamma(s) \sum_a \pi(a|s)\,\nabla\log\pi(a|s)\,Q(s,a)"
    wrong = evaluated(stationary, ladder())
    printed = read_out(ladder(), "unrolling ∇V")[-1]
    right = evaluated(printed.equation, ladder())
    assert abs(wrong[0, 0]) == pytest.approx(0.698, abs=5e-4)
    assert abs(right[0, 0]) == pytest.approx(0.527232, abs=5e-7)
    assert abs(float(printed.right)) == pytest.approx(np.abs(right).max(), abs=1e-7)
