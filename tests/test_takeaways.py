"""The sentences under a run say what the run did: held to runs told by hand."""

import numpy as np
import pytest

from pgviz.measure import takeaways
from pgviz.training import Config


class Told:
    """A recording whose metrics [U, S] are told; no gradient of it may be longer than ½."""

    config = Config(max_grad_norm=0.5)

    def __init__(self, **told):
        self.told = {name: np.array(x, float) for name, x in told.items()}

    def metrics(self, start=0):
        return {name: x[start:] for name, x in self.told.items()}


# ── How many seeds solved it, and when ───────────────────────────────────────────────────────


# ── How far apart they were ──────────────────────────────────────────────────────────────────


# ── What the pseudo-loss did meanwhile ───────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("losses", "verb"),
    [
        ([-3, -2, 5, 1], "rose"),
        ([3, 2, -5, -1], "fell"),
        ([1, 9, -9, 1], "stayed about the same"),
        ([0, 10, 0.9], "stayed about the same"),
        ([0, 10, 1.1], "rose"),
        ([1.1, 10, 0], "fell"),
        ([2, 2, 2], "stayed about the same"),
    ],
    ids=str,
)
def test_a_loss_rose_or_fell_if_its_ends_differ_by_more_than_a_tenth_of_its_range(losses, verb):
    told = Told(pseudo_loss=np.transpose([losses] * 3))
    assert takeaways.loss_verdict(told) == takeaways.verdict(np.array(losses)) == verb


def test_the_ends_of_a_curve_are_the_means_of_its_first_and_last_tenth():
    assert takeaways.ends(np.arange(20.0)) == (0.5, 18.5)
    assert takeaways.ends(np.array([3.0, 7.0, 4.0])) == (3.0, 4.0)


# ── How much of a gradient's length is followed ──────────────────────────────────────────────


@pytest.mark.parametrize(
    ("norms", "begin"),
    [
        (
            [[500, 50], [5, 500]],
            "Every ĝ was longer than 0.5 and cut to that, typically by a factor of 550;",
        ),
        ([[0.4, 0.1], [0.2, 5]], "25 % of all ĝ were longer than 0.5 and cut to that, typically"),
        ([[0.4, 0.1], [0.2, 0.5]], "No ĝ was longer than 0.5, so none was cut."),
        ([[0, 0], [0, 0]], "ĝ was 0 in every update: all Ψ of a batch were equal"),
    ],
    ids=["all", "some", "none", "zero"],
)
def test_a_reader_learns_how_many_gradients_were_shortened_and_how_much(norms, begin):
    assert takeaways.lengths(Told(grad_norm=norms, active=np.ones((2, 2)))).startswith(begin)


def test_seeds_that_stand_still_have_no_gradient_to_count():
    told = Told(grad_norm=[[5, 5], [0.1, 5]], active=[[1, 1], [0, 1]])
    assert takeaways.lengths(told).startswith("Every ĝ was longer")


def test_gradients_of_length_zero_are_named():
    told = Told(grad_norm=[[5, 0], [5, 0]], active=np.ones((2, 2)))
    assert takeaways.lengths(told).endswith("2 ĝ of 4 were 0: all Ψ of their batch were equal.")


@pytest.mark.parametrize(
    ("number", "words"), [(0.5543, "0.554"), (-12.52, "-12.5"), (69040.4, "69,040"), (0, "0")]
)
def test_numbers_have_three_digits_and_no_powers_of_ten(number, words):
    assert takeaways.in_words(number) == words
