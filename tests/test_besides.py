"""What a run's training does besides the equation: every fact of the list is true, and none is missing.

An update is rebuilt in plain torch from the rollout, the equation and the facts alone. Whatever the
engine does that the list does not say, or says otherwise, leaves other parameters.
"""

from dataclasses import replace
from functools import partial

import numpy as np
import pytest
import torch

from pgviz import estimators
from pgviz.measure.besides import besides, clipped_of
from pgviz.runs.recording import Recorder, Recording
from pgviz.training import loop as training
from pgviz.training import presets, train
from pgviz.training.agent import VALUE_COEF, Agent
from pgviz.training.loop import METRICS, Learners, stream
from pgviz.worlds.cartpole import CartPoleEnsemble
from pgviz.worlds.world import CARTPOLE_V1

CASES = {name: {} for name in presets} | {
    "ppo, not normalised": {"normalize_advantages": False, "clip_coef": 0.05},
    "reinforce, γᵗ kept": {"drop_gamma_t": False, "gamma": 0.9},
    "reinforce, γᵗ left out": {"gamma": 0.9},
    "full-return, discounted": {"gamma": 0.9},
    "reinforce, normalised": {"normalize_advantages": True},
    "gae, whole episodes": {"num_steps": 0, "minibatch_size": 0},
    "actor-critic, never cut": {"max_grad_norm": 1e6},
    "actor-critic, nothing detached": {"detach": False},
    "actor-critic, a limit is a fall": {"bootstrap_truncated": False},
    "actor-critic, one network": {"share_network": True},
    "gae, one network": {"share_network": True},
}
SMALL = {"num_seeds": 2, "num_envs": 4, "num_updates": 4}


def config_of(case):
    return presets[case.split(",")[0]].replace(**SMALL, **CASES[case])


class Twin:
    """One seed, by the list: two torch networks, their optimisers, and an update."""

    def __init__(self, config, seed, birth):
        self.config, self.facts = config, besides(config)
        self.hidden, self.shared = self.facts["Networks"].value
        if self.shared:
            self.policy, self.critic = self.heads(birth)
        else:
            parts = np.split(birth, [birth.size // 2]) if config.has_critic else [birth]
            self.policy, self.critic = ([self.leaves(part) for part in parts] + [None])[:2]
        rate, *betas, eps = self.facts["Adam"].value
        adam = partial(torch.optim.Adam, betas=betas, eps=eps)
        own = []
        if config.has_critic:
            self.critic_rate, self.critic_steps, self.size = self.facts["The critic learns"].value
            self.draw = stream(config, seed, "critic")
            own = self.critic[1:] if self.shared else self.critic
            self.critic_optimizer = adam(own, lr=self.critic_rate)
        self.clipped = [*self.policy, *(own if self.shared else [])]
        self.optimizer = adam(self.policy, lr=rate)

    def leaves(self, row):
        sizes = 5 * self.hidden, self.hidden, 1
        parts = np.split(row, np.cumsum(sizes)[:-1])
        shapes = (5, self.hidden), (self.hidden, 1), (1,)
        return [
            torch.tensor(part.reshape(shape), requires_grad=True)
            for part, shape in zip(parts, shapes, strict=True)
        ]

    def heads(self, row):
        """One hidden layer and two heads on it: W₁, the columns of W₂ [H, 2], the entries of b₂ [2]."""
        first, last, bias = np.split(row, np.cumsum([5 * self.hidden, 2 * self.hidden]))
        body = torch.tensor(first.reshape(5, -1), requires_grad=True)
        last = torch.tensor(last.reshape(-1, 2))
        return [
            [
                body,
                last[:, k : k + 1].clone().requires_grad_(),
                torch.tensor(bias[k : k + 1], requires_grad=True),
            ]
            for k in (0, 1)
        ]

    def output(self, layers, obs):
        first, last, bias = layers
        seen = torch.tensor(obs) * torch.tensor(self.facts["Observations"].value)
        seen = torch.cat([seen, torch.ones((*seen.shape[:-1], 1))], dim=-1)
        return (torch.tanh(seen @ first) @ last + bias)[..., 0]

    def values(self, obs):
        return self.facts["Scale of V̂"].value * self.output(self.critic, obs)

    def psi(self, rollout, k):
        """The equation's Ψ [N, T] of this seed, by the function that the method's page shows."""
        config, rewards = self.config, rollout.rewards[k]
        if config.method == "full-return":
            return estimators.full_return(rewards, config.gamma)
        if config.method == "reinforce":
            return estimators.reward_to_go(rewards, config.gamma)
        with torch.no_grad():
            values, after = (self.values(x[k]).numpy() for x in (rollout.obs, rollout.next_obs))
        if config.method == "baseline":
            return estimators.reward_to_go(rewards, config.gamma) - values
        fell, over = rollout.terminated[k], rollout.episode_over[k]
        if not self.facts["Time limit"].value:
            fell = over
        gae_lambda = config.gae_lambda if config.method in ("gae", "ppo") else 0.0
        return estimators.gae(rewards, values, after, fell, config.gamma, gae_lambda, over)

    def ppo(self, rollout, k):
        """Epochs of minibatches on the clipped surrogate, as in any textbook."""
        epochs, num_minibatches, clip = self.facts["N"].value
        rows = [
            x[k].swapaxes(0, 1).reshape(-1, *x.shape[3:]) for x in (rollout.obs, rollout.actions)
        ]
        obs, signs = rows[0], torch.where(torch.tensor(rows[1]), 1, -1)
        psi = torch.tensor(self.psi(rollout, k).T.ravel(), dtype=torch.float32)
        with torch.no_grad():
            y = psi + self.values(obs)
            old = torch.nn.functional.logsigmoid(signs * self.output(self.policy, obs))
        if self.facts["Normalising"].value:
            psi = (psi - psi.mean()) / psi.std(correction=0)
        for _ in range(epochs):
            for mine in np.array_split(self.draw.permutation(len(obs)), num_minibatches):
                logits = self.output(self.policy, obs[mine])
                ratio = (torch.nn.functional.logsigmoid(signs[mine] * logits) - old[mine]).exp()
                cut = torch.clip(ratio, 1 - clip, 1 + clip)
                loss = -torch.min(ratio * psi[mine], cut * psi[mine]).mean()
                self.optimizer.zero_grad()
                loss.backward()
                torch.nn.utils.clip_grad_norm_(self.clipped, self.facts["Clipping"].value)
                self.optimizer.step()
                loss = self.regression(obs[mine], y[mine])
                self.critic_optimizer.zero_grad()
                loss.backward()
                self.critic_optimizer.step()

    def update(self, rollout, k):
        if self.config.method == "ppo":
            self.ppo(rollout, k)
            return
        mask = torch.tensor(rollout.mask[k])
        psi = torch.tensor(self.psi(rollout, k), dtype=torch.float32)
        logits = self.output(self.policy, rollout.obs[k])
        log_probs = torch.where(torch.tensor(rollout.actions[k]), 1, -1) * logits
        log_probs = torch.nn.functional.logsigmoid(log_probs)
        weight = psi
        if self.facts["Normalising"].value:
            weight = (psi - psi[mask].mean()) / psi[mask].std(correction=0)
        if self.facts["γᵗ"].value:
            weight = weight * self.config.gamma ** torch.arange(psi.shape[-1])
        loss = -(weight * log_probs)[mask].sum() / self.facts["N"].value
        batches = self.batches(rollout, k, psi) if self.config.has_critic else []
        if self.shared:
            loss = loss + VALUE_COEF * self.regression(*batches[0])
            self.critic_optimizer.zero_grad()
        self.optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(self.clipped, self.facts["Clipping"].value)
        self.optimizer.step()
        if self.shared:
            self.critic_optimizer.step()
        elif self.config.has_critic:
            for batch in batches:
                loss = (
                    self.regression(*batch)
                    if self.config.detach
                    else self.undetached(rollout, k, log_probs.detach())
                )
                self.critic_optimizer.zero_grad()
                loss.backward()
                self.critic_optimizer.step()

    def batches(self, rollout, k, psi):
        """For each step of the critic its states and targets y = Ψ + V̂, in order of time."""
        there = rollout.mask[k].T
        seen = rollout.obs[k].swapaxes(0, 1)[there]
        with torch.no_grad():
            y = psi.T[torch.tensor(there)] + self.values(seen)
        if self.size == 0:
            return [(seen, y)] * self.critic_steps
        drawn = self.draw.integers(len(seen), size=(self.config.critic_steps, self.size))
        return [(seen[rows], y[rows]) for rows in drawn[: self.critic_steps]]

    def regression(self, seen, y):
        return ((self.values(seen) - y) ** 2 / 2).mean()

    def undetached(self, rollout, k, log_probs):
        after = self.values(rollout.next_obs[k])
        after = torch.where(torch.tensor(rollout.terminated[k]), 0.0, after)
        delta = torch.tensor(rollout.rewards[k]) + self.config.gamma * after
        delta = delta - self.values(rollout.obs[k])
        return (delta**2 / 2 - delta * log_probs)[torch.tensor(rollout.mask[k])].mean()

    def row(self):
        if self.shared:
            last, bias = (
                torch.cat(pair, -1) for pair in zip(self.policy[1:], self.critic[1:], strict=True)
            )
            layers = [self.policy[0], last, bias]
        else:
            layers = [*self.policy, *(self.critic or [])]
        return torch.cat([x.detach().ravel() for x in layers]).numpy()


@pytest.fixture
def trained(monkeypatch):
    """What the environments gave and the updates of a training in which time limits are common."""

    def trained(config):
        rollouts = []

        def keep(collect, *arguments):
            rollouts.append(collect(*arguments))
            return rollouts[-1]

        for name in ("collect_episodes", "collect_windows"):
            monkeypatch.setattr(training, name, partial(keep, getattr(training, name)))
        short = replace(
            CARTPOLE_V1,
            make=lambda num_envs, num_seeds, mode: CartPoleEnsemble(num_envs, num_seeds, 18, mode),
        )
        monkeypatch.setattr(training, "find", lambda name: short)
        return rollouts, list(train(config))

    return trained


@pytest.mark.parametrize("case", CASES)
def test_whoever_does_what_the_list_says_and_nothing_else_learns_the_same(case, trained):
    config = config_of(case)
    rollouts, updates = trained(config)
    assert len(rollouts) == len(updates) == 4
    assert any(rollout.truncated.any() for rollout in rollouts)
    for seed in range(config.num_seeds):
        twin = Twin(config, seed, updates[0].played[seed])
        for rollout, update in zip(rollouts, updates, strict=True):
            logits = twin.output(twin.policy, rollout.obs[seed]).detach().numpy()
            there = rollout.mask[seed]
            np.testing.assert_allclose(
                rollout.outputs[seed][there], logits[there], rtol=1e-2, atol=1e-3
            )
            twin.update(rollout, seed)
            step = np.abs(update.theta[seed] - update.played[seed]).max()
            np.testing.assert_allclose(twin.row(), update.theta[seed], rtol=0, atol=0.03 * step)


@pytest.mark.parametrize("case", ["reinforce", "baseline", "actor-critic, one network"])
def test_every_seed_is_born_as_the_list_says(case):
    config = config_of(case)
    agent, facts = Agent.of(config), besides(config)
    theta = next(train(config)).played
    parts = [(agent.shared or agent.policy, agent.policy_part(theta), 0)]
    if config.has_critic:
        parts.append((agent.shared or agent.critic, agent.critic_part(theta), -1))
    for (network, part, head), length in zip(parts, facts["At birth"].value, strict=False):
        first, last, bias = network.layers(np.ascontiguousarray(part))
        for weights in first[:, :-1]:
            np.testing.assert_allclose(weights @ weights.T, np.eye(4), atol=1e-5)
        assert not first[:, -1].any()
        assert not bias.any()
        np.testing.assert_allclose(np.linalg.norm(last[..., head], axis=1), length, rtol=1e-5)
        assert network.hidden == facts["Networks"].value[0]


@pytest.mark.parametrize("stops", [True, False])
def test_a_solved_seed_goes_on_unless_the_list_says_that_it_stops(stops):
    config = presets["reinforce"].replace(**SMALL, stop_when_solved=stops)
    learners = Learners(config, [0, 1])
    learners.metrics["solved"][:] = 1
    assert learners.keep_going() is not besides(config)["The end"].value


def test_how_many_gradients_were_cut_is_counted_in_the_recording(tmp_path):
    config = presets["reinforce"].replace(num_seeds=3, num_updates=4)
    updates = list(train(config))
    recorder = Recorder(tmp_path / "a.run", config, METRICS, birth=updates[0].played)
    for update in updates:
        told = {
            "grad_norm": np.array([0.4, 0.6, 0.7]),
            "active": np.array([1.0, 1.0, float(update.index < 2)]),
        }
        recorder.append(update.theta, {**update.metrics, **told}, 0.0)
    recorder.close()
    recording = Recording(tmp_path / "a.run")
    assert clipped_of(recording) == (6, 10)
    assert "6 of 10 were longer (60 %)" in besides(config, recording)["Clipping"].words


@pytest.mark.parametrize("case", CASES)
def test_every_number_of_the_settings_that_training_reads_is_in_the_list(case):
    """A setting that changes the training changes the list."""
    config = config_of(case)
    said = " ".join(fact.words for fact in besides(config).values())
    critics = {"critic_learning_rate": 0.0123, "minibatch_size": 77}
    if config.method == "ppo":
        critics = {"critic_learning_rate": 0.0123, "clip_coef": 0.123, "update_epochs": 7}
    for name, value in {
        "learning_rate": 0.0456,
        "max_grad_norm": 0.789,
        "num_envs": 13,
        "hidden": 23,
        **(critics if config.has_critic and config.detach else {}),
    }.items():
        changed = besides(config.replace(**{name: value}))
        words = " ".join(fact.words for fact in changed.values())
        assert words != said, name
        assert f"{value:g}" in words
