"""RLHF in miniature: RLOO reaches the exact best policy. Run it: python rlhf.py

J = E[r] − β KL(π ‖ π_ref),   R(y) = r(y) − β log(π(y)/π_ref(y))
ĝ = (1/N) Σ_i (R_i − b_i) ∇θ log π(y_i),   b_i: the mean R of the K − 1 others of its group

A sentence y is 4 tokens of 8. All 4,096 can be listed, so J and π* ∝ π_ref exp(r/β), the policy of
the largest J, are exact. Source: Ahmadian et al., 2024, arXiv:2402.14740.
"""

import argparse
import time
from collections.abc import Iterator

import torch
from torch import Tensor

NUM_TOKENS, LENGTH = 8, 4
START = NUM_TOKENS  # stands before the first token


def reference() -> Tensor:
    """The logits of π_ref, .8 cos(previous + 2 · next), the same at every place: [4, 9, 8]."""
    previous, following = torch.arange(NUM_TOKENS + 1.0), torch.arange(NUM_TOKENS)
    table = 0.8 * torch.cos(previous.double()[:, None] + 2 * following)
    return table.repeat(LENGTH, 1, 1)


def sample(logits: Tensor, num_sentences: int) -> Tensor:
    """Sentences y ~ π, token by token, [N, 4]."""
    before, tokens = torch.full((num_sentences,), START), []
    for t in range(LENGTH):
        before = torch.multinomial(logits[t, before].softmax(-1), 1)[:, 0]
        tokens.append(before)
    return torch.stack(tokens, dim=1)


def log_prob(logits: Tensor, y: Tensor) -> Tensor:
    """log π(y), the sum over the tokens of each sentence, [N]."""
    before = torch.cat([torch.full((len(y), 1), START), y[:, :-1]], dim=1)
    return logits.log_softmax(-1)[torch.arange(LENGTH), before, y].sum(-1)


def reward(y: Tensor) -> Tensor:
    """r: the share of the three neighbours that count upwards, by one and from 7 to 0, [N]."""
    return ((y[:, 1:] - y[:, :-1]) % NUM_TOKENS == 1).double().mean(-1)


def leave_one_out(rewards: Tensor, group: int) -> Tensor:
    """R_i − b_i of sentences that stand group by group, [N]."""
    groups = rewards.view(-1, group)
    totals = groups.sum(dim=1, keepdim=True)
    others = (totals - groups) / (group - 1)
    return (groups - others).flatten()


def rloo(
    logits: Tensor,
    ref_logits: Tensor,
    beta: float = 0.3,
    group: int = 4,
    num_groups: int = 16,
    learning_rate: float = 4.0,
) -> Iterator[Tensor]:
    """Update the logits [4, 9, 8] for ever; yields the sentences of each update, [N, 4]."""
    optimizer = torch.optim.SGD([logits], learning_rate)
    while True:
        with torch.no_grad():
            y = sample(logits, num_groups * group)
        log_probs = log_prob(logits, y)
        log_ratios = log_probs.detach() - log_prob(ref_logits, y)  # plain numbers
        rewards = reward(y) - beta * log_ratios
        loss = -(leave_one_out(rewards, group) * log_probs).mean()
        optimizer.zero_grad()
        loss.backward()  # the gradient of the loss is −ĝ
        optimizer.step()
        yield y


@torch.no_grad()
def exactly(logits: Tensor, ref_logits: Tensor, beta: float) -> tuple[float, float, float]:
    """J, the J of π* and KL(π ‖ π*), from all sentences."""
    every = torch.cartesian_prod(*[torch.arange(NUM_TOKENS)] * LENGTH)
    log_p, log_ref = log_prob(logits, every), log_prob(ref_logits, every)
    tilted = log_ref + reward(every) / beta  # log π* and a constant
    log_best, best = tilted.log_softmax(0), beta * tilted.logsumexp(0)
    objective = log_p.exp() @ (reward(every) - beta * (log_p - log_ref))
    return float(objective), float(best), float(log_p.exp() @ (log_p - log_best))


def main(seed: int = 0, beta: float = 0.3, max_updates: int = 2000) -> None:
    """Learn until KL(π ‖ π*) is below .001 nats, or until max_updates are spent."""
    torch.set_num_threads(1)  # tables as small as these are faster on one core
    torch.manual_seed(seed)
    ref_logits = reference()
    logits = ref_logits.clone().requires_grad_()
    started = time.perf_counter()
    for update, _ in enumerate(rloo(logits, ref_logits, beta), start=1):
        objective, best, distance = exactly(logits, ref_logits, beta)
        reached = distance < 0.001
        if update % 20 == 0 or reached:
            print(f"update {update}: J {objective:.4f} of {best:.4f}, KL to π* {distance:.4f}")
        if reached or update >= max_updates:
            break
    seconds = time.perf_counter() - started
    print(f"seed {seed}: π* {'reached' if reached else 'not reached'} after {seconds:.1f} s")


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--beta", type=float, default=0.3)
    options, _ = parser.parse_known_args()  # a notebook has arguments of its own
    if options.seed < 0:
        parser.error("--seed must be 0 or more")
    if not 0 < options.beta < float("inf"):
        parser.error("--beta must be a number above 0")
    main(options.seed, options.beta)
