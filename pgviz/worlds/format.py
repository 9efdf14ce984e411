"""The world format by example, for the page that takes world files; the README shows the same."""

EXAMPLE = """\
{
  "name": "two-rooms",
  "transitions": [
    [[0.1, 0.9, 0.0], [1.0, 0.0, 0.0]],
    [[0.0, 0.2, 0.8], [1.0, 0.0, 0.0]]
  ],
  "rewards": [[-1, -1], [-1, -1]],
  "gamma": 0.9,
  "start": [1, 0],
  "horizon": 20,
  "features": [[1], [1]],
  "theta": [[0, 0]]
}
"""

IN_WORDS = """\
- `transitions[s][a]` holds S + 1 probabilities with sum 1: one for each next state, and last the \
probability that the episode ends. Here action 0 in state 1 ends it with 0.8.
- `rewards[s][a]` is one number, or S + 1 of them, one for each column of `transitions`.
- `gamma` is the discount, from 0 to 1. At 1 and without a horizon every episode must be able to end.
- The rest may be left out: `start[s]` (uniform), `horizon`, a number of steps (none), \
`features[s]`, F numbers (one-hot), and `theta[f]`, A numbers (0, the uniform policy). The logits \
are `features @ theta`; these two rooms share one policy.
- A reward that is random on the same step needs a state more: let the step lead to a twin of its \
next state, and pay the other reward on the way there.
"""
