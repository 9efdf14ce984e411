"""What is shown as written from scratch runs as it stands, and is the very method of the engine."""

import ast
import contextlib
import inspect
import io
import runpy
import sys
import types
from dataclasses import replace
from itertools import islice

import gymnasium
import numpy as np
import pytest
import torch

from pgviz.exact import language
from pgviz.from_scratch import actor_critic, baseline, ppo, reinforce, rlhf
from pgviz.measure import wording
from pgviz.networks import MLP
from pgviz.training.agent import Agent
from pgviz.training.config import presets
from pgviz.training.critic import minibatches, value_gradient
from pgviz.training.gradient import policy_gradient
from pgviz.training.methods import weights
from pgviz.training.rollout import Rollout
from pgviz.training.updates import clipped_surrogate
from pgviz.worlds.cartpole import OBS_SCALE

FILES = (reinforce, baseline, actor_critic, ppo, rlhf)
ENDLESS = float("inf")


class Written(gymnasium.Wrapper):
    """CartPole, and everything that was seen, done and paid in it, episode by episode."""

    def __init__(self):
        super().__init__(gymnasium.make("CartPole-v1"))
        self.env.reset(seed=3)
        self.episodes = []

    def reset(self, **arguments):
        self.obs, info = super().reset(**arguments)
        self.episodes.append([])
        return self.obs, info

    def step(self, action):
        obs, reward, terminated, truncated, info = super().step(action)
        self.episodes[-1].append((self.obs, action, reward, terminated, terminated or truncated))
        self.obs = obs
        return obs, reward, terminated, truncated, info


class WrittenEnvs(gymnasium.vector.VectorWrapper):
    """The same for several CartPoles at once, which reset themselves one step after their end."""

    def __init__(self, num_envs, max_episode_steps):
        super().__init__(
            gymnasium.make_vec("CartPole-v1", num_envs, max_episode_steps=max_episode_steps)
        )
        self.over = np.zeros(num_envs, bool)
        self.steps = []

    def reset(self, **arguments):
        self.obs, info = super().reset(**arguments)
        return self.obs, info

    def step(self, actions):
        next_obs, rewards, terminated, truncated, info = super().step(actions)
        record = {"obs": self.obs, "actions": actions.astype(bool), "rewards": rewards}
        record |= {"next_obs": next_obs, "terminated": terminated, "truncated": truncated}
        self.steps.append({**record, "mask": ~self.over})
        self.obs, self.over = next_obs, terminated | truncated
        return next_obs, rewards, terminated, truncated, info

    def rollout(self):
        """The engine's record of what was seen; the steps that only reset are no steps."""
        rows = {
            name: np.stack([step[name] for step in self.steps], 1)[None] for name in self.steps[0]
        }
        return rollout_of(**rows)


class Twin(torch.nn.Module):
    """The engine's network f(o) = w₂ᵀ tanh(W₁ᵀ φ) + b₂ as a torch module: logits 0 and f, or V̂."""

    def __init__(self, theta, as_critic=False):
        super().__init__()
        self.as_critic = as_critic
        self.theta = torch.nn.Parameter(torch.tensor(theta))

    def forward(self, obs):
        ones = torch.ones((*obs.shape[:-1], 1))
        features = torch.cat([obs * torch.tensor(OBS_SCALE), ones], dim=-1)
        first = self.theta[:160].view(5, 32)
        output = torch.tanh(features @ first) @ self.theta[160:192] + self.theta[192]
        return torch.stack([output] if self.as_critic else [torch.zeros_like(output), output], -1)


def rollout_of(**rows):
    nothing = np.zeros(rows["mask"].shape, np.float32)
    missing = {"outputs": nothing, "paid_before": nothing[..., 0]}
    return Rollout(**missing, **{"values": nothing, "next_values": nothing} | rows)


def episodes_as_rollout(episodes):
    """The engine's record of these episodes of (obs, action, reward, terminated, over)."""
    length = max(map(len, episodes))
    mask = np.arange(length) < np.array([[len(row)] for row in episodes])

    def padded(k, *shape):
        x = np.zeros((1, len(episodes), length, *shape), np.float32)
        for n, row in enumerate(episodes):
            x[0, n, : len(row)] = [step[k] for step in row]
        return x

    terminated, over = padded(3).astype(bool), padded(4).astype(bool)
    return {
        "obs": padded(0, 4),
        "actions": padded(1).astype(bool),
        "rewards": padded(2),
        "next_obs": padded(0, 4),
        "terminated": terminated,
        "truncated": over & ~terminated,
        "mask": mask[None],
    }


def said(critic, obs):
    """V̂ of observations, as an array."""
    with torch.no_grad():
        return critic(torch.as_tensor(obs))[..., 0].numpy()


def born():
    """The engine's network, and its parameters of one seed."""
    mlp = MLP(OBS_SCALE)
    theta = mlp.initial_theta([np.random.default_rng(5)], 1.0)
    torch.manual_seed(0)
    return mlp, theta


def assert_same(module, gradient):
    """The gradient that torch has left in a twin, against the engine's: no factor between them."""
    np.testing.assert_allclose(
        module.theta.grad.numpy(), gradient, rtol=1e-3, atol=1e-4 * np.abs(gradient).max()
    )


def critic_gradient(mlp, theta, rollout, psi):
    config = presets["actor-critic"].replace(critic_steps=1, minibatch_size=0)
    batch = next(minibatches(rollout, psi + rollout.values, [], config))
    return value_gradient(mlp, theta, batch)[0]


def test_one_update_of_reinforce_has_the_gradient_of_the_engine():
    (mlp, theta), env = born(), Written()
    policy = Twin(theta[0])
    returns = next(reinforce.reinforce(env, policy, num_episodes=5, max_grad_norm=ENDLESS))
    assert returns == [len(episode) for episode in env.episodes]
    rollout = rollout_of(**episodes_as_rollout(env.episodes))
    assert rollout.mask.shape[1] == 5
    psi = weights(rollout, presets["reinforce"])
    assert_same(policy, -policy_gradient(Agent(mlp), theta, rollout, psi)[0][0])


def test_one_update_with_a_baseline_has_both_gradients_of_the_engine():
    (mlp, theta), env = born(), Written()
    policy, critic = Twin(theta[0]), Twin(theta[0], as_critic=True)
    next(baseline.baseline(env, policy, critic, 5, critic_steps=1, max_grad_norm=ENDLESS))
    rows = episodes_as_rollout(env.episodes)
    values = np.where(rows["mask"], said(Twin(theta[0], as_critic=True), rows["obs"]), 0)
    rollout = rollout_of(**rows, values=values)
    psi = weights(rollout, presets["baseline"])
    assert_same(policy, -policy_gradient(Agent(mlp), theta, rollout, psi)[0][0])
    assert_same(critic, critic_gradient(mlp, theta, rollout, psi))


@pytest.mark.parametrize("gae_lambda", [0.0, 0.7, 1.0])
def test_one_update_of_the_actor_critic_has_both_gradients_of_the_engine(gae_lambda):
    """Through falls, time limits and the steps that only reset."""
    (mlp, theta), envs = born(), WrittenEnvs(num_envs=6, max_episode_steps=15)
    policy, critic = Twin(theta[0]), Twin(theta[0], as_critic=True)
    first = Twin(theta[0], as_critic=True)
    updates = actor_critic.actor_critic(
        envs, policy, critic, gae_lambda, num_steps=40, max_grad_norm=ENDLESS
    )
    num_steps, returns = next(updates)
    rollout = envs.rollout()
    rollout = rollout_of(
        **{name: getattr(rollout, name) for name in ("obs", "actions", "rewards", "next_obs")},
        **{name: getattr(rollout, name) for name in ("terminated", "truncated", "mask")},
        values=said(first, rollout.obs),
        next_values=said(first, rollout.next_obs),
    )
    assert rollout.terminated.any()
    assert rollout.truncated.any()
    assert num_steps == rollout.mask.sum() < rollout.mask.size
    assert max(returns) == 15  # no step is counted that never happened
    np.testing.assert_array_equal(np.sort(returns), np.sort(rollout.finished_returns[0]))
    psi = weights(rollout, presets["gae"].replace(gae_lambda=gae_lambda))
    assert_same(policy, -policy_gradient(Agent(mlp), theta, rollout, psi)[0][0])
    assert_same(critic, critic_gradient(mlp, theta, rollout, psi))


def test_the_first_step_of_ppo_has_both_gradients_of_the_engine():
    """Before θ has moved, the clipped surrogate's gradient is the mean of Â ∇log π."""
    (mlp, theta), envs = born(), WrittenEnvs(num_envs=6, max_episode_steps=15)
    policy, critic = Twin(theta[0]), Twin(theta[0], as_critic=True)
    first = Twin(theta[0], as_critic=True)
    next(
        ppo.ppo(
            envs, policy, critic, num_steps=40, update_epochs=1, num_minibatches=1,
            max_grad_norm=ENDLESS,
        )
    )  # fmt: skip
    rollout = envs.rollout()
    rollout = replace(
        rollout, values=said(first, rollout.obs), next_values=said(first, rollout.next_obs)
    )
    config = presets["gae"]
    psi = weights(rollout, config.replace(normalize_advantages=True))
    scale = rollout.mask.shape[1] / rollout.mask.sum()
    assert_same(policy, -scale * policy_gradient(Agent(mlp), theta, rollout, psi)[0][0])
    assert_same(critic, critic_gradient(mlp, theta, rollout, weights(rollout, config)))


def test_ppos_loss_is_minus_the_engines_surrogate():
    draw = torch.Generator().manual_seed(0)
    ratios, psi = torch.rand(200, generator=draw) * 2, torch.randn(200, generator=draw)
    expected = -clipped_surrogate(ratios, psi, 0.2).mean()
    assert ppo.ppo_loss(ratios, psi, 0.2) == pytest.approx(expected)


@pytest.mark.parametrize("method", ["baseline", "actor-critic"])
def test_nobody_clips_the_critic(method):
    """The engine does not; the policy's gradient alone is kept short."""
    theta = born()[1]
    policy, critic = Twin(theta[0]), Twin(theta[0], as_critic=True)
    next(
        baseline.baseline(Written(), policy, critic)
        if method == "baseline"
        else actor_critic.actor_critic(WrittenEnvs(6, 15), policy, critic)
    )
    assert policy.theta.grad.norm() == pytest.approx(0.5, abs=1e-4)
    assert critic.theta.grad.norm() > 0.6


class Enough(Exception):
    """Two lines were printed."""


@pytest.mark.parametrize("module", FILES, ids=lambda module: module.__name__.split(".")[-1])
def test_the_file_alone_prints_its_progress(module, tmp_path, monkeypatch):
    """As it is copied into an empty folder, or pasted into a notebook with arguments of its own."""
    source = inspect.getsource(module)
    (tmp_path / "copied.py").write_text(source)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "argv", ["kernel", "-f", "kernel.json"])
    printed = []

    def write(line):
        printed.append(line)
        if len(printed) == 2:
            raise Enough

    with pytest.raises(Enough):
        runpy.run_path("copied.py", {"print": write}, "__main__")
    told = "KL to π*" if module is rlhf else "returned"
    assert all(told in line for line in printed)
    imported = {
        name.split(".")[0]
        for node in ast.walk(ast.parse(source))
        if isinstance(node, (ast.Import, ast.ImportFrom))
        for name in (
            [node.module] if isinstance(node, ast.ImportFrom) else [n.name for n in node.names]
        )
    }
    assert imported - sys.stdlib_module_names <= {"gymnasium", "torch", "numpy"}
    assert len(source.splitlines()) <= 130


@pytest.mark.parametrize("module", FILES, ids=lambda module: module.__name__.split(".")[-1])
def test_the_file_can_be_pasted_into_an_interactive_session(module):
    """There an empty line ends a function."""
    lines = inspect.getsource(module).splitlines()
    for node in ast.parse("\n".join(lines)).body[1:]:
        assert all(lines[node.lineno - 1 : node.end_lineno]), node


@pytest.mark.parametrize(
    "solve", [lambda: actor_critic.main(seed=0, gae_lambda=0.95), lambda: ppo.main(seed=0)]
)
def test_gae_and_ppo_from_scratch_solve_cartpole(solve):
    with contextlib.redirect_stdout(io.StringIO()) as printed:
        solve()
    assert "seed 0: solved" in printed.getvalue()


# ── RLHF, in the language that can be listed ─────────────────────────────────────────────────

EVERY = torch.tensor(language.sentences())
LOG_REF = language.log_probs(language.reference())


def elsewhere(size=0.7):
    """Logits [4, 9, 8] that are not the reference model's: there the KL has a gradient."""
    draw = np.random.default_rng(2)
    return language.reference() + size * draw.normal(size=(4, 9, 8))


def with_line(line, wrong):
    """The file with one line changed."""
    source = inspect.getsource(rlhf)
    assert source.count(line) == 1
    changed = types.ModuleType("changed")
    exec(source.replace(line, wrong), changed.__dict__)
    return changed


def estimates(module, beta, group, num_updates=150):
    """What torch leaves in the logits, of many updates with a learning rate of 0, [n, P]."""
    torch.manual_seed(0)
    theta = elsewhere()
    logits = torch.tensor(theta, requires_grad=True)
    found = []
    for _ in islice(
        module.rloo(
            logits, module.reference(), beta, group, num_groups=600 // group, learning_rate=0.0
        ),
        num_updates,
    ):
        found.append(-logits.grad.flatten().numpy())
    assert (logits.detach().numpy() == theta).all()
    return np.array(found)


def assert_unbiased(found, exact):
    """Each slope, and their sum along ∇J, within standard errors of the exact one."""
    along = exact / (exact @ exact)
    for each, true in ((found, exact), (found @ along[:, None], np.ones(1))):
        error = each.std(axis=0, ddof=1) / np.sqrt(len(each))
        assert (np.abs(each.mean(axis=0) - true) <= 5 * error + 1e-12).all()


def test_the_language_of_rlhf_is_that_of_the_page():
    np.testing.assert_allclose(rlhf.reference(), [language.reference()] * 4, atol=1e-15)
    theta = elsewhere()
    for mine, theirs in (
        (rlhf.log_prob(torch.tensor(theta), EVERY), language.log_probs(theta)),
        (rlhf.log_prob(rlhf.reference(), EVERY), LOG_REF),
        (rlhf.reward(EVERY), language.counting()),
    ):
        np.testing.assert_allclose(mine, theirs, rtol=0, atol=1e-12)


def test_its_sentences_have_their_probabilities():
    """Chi-square over all tokens at all places, given the token before: 4 · 9 · 7 degrees or less."""
    torch.manual_seed(1)
    theta = elsewhere()
    y = rlhf.sample(torch.tensor(theta), 40_000).numpy()
    before = np.concatenate([np.full((len(y), 1), language.START), y[:, :-1]], axis=1)
    counts = np.zeros((4, 9, 8))
    np.add.at(counts, (np.arange(4), before, y), 1)
    expected = counts.sum(axis=-1, keepdims=True) * np.exp(language.by_position(theta))
    seen = expected > 0
    square = ((counts - expected)[seen] ** 2 / expected[seen]).sum()
    freedom = 7 * (counts.sum(axis=-1) > 0).sum()
    assert abs(square - freedom) < 5 * np.sqrt(2 * freedom)


@pytest.mark.parametrize("beta", [0.1, 0.3, 1.0])
def test_the_j_and_the_distance_it_prints_are_exact(beta):
    theta, rewards = elsewhere(), language.counting()
    log_p = language.log_probs(theta)
    log_best, best = language.best_policy(rewards, beta, LOG_REF)
    exact = (language.objective(log_p, rewards, beta, LOG_REF), best, language.kl(log_p, log_best))
    found = rlhf.exactly(torch.tensor(theta), rlhf.reference(), beta)
    assert found == pytest.approx(exact, abs=1e-12)


@pytest.mark.parametrize("group", [2, 4])
@pytest.mark.parametrize("beta", [0.3, 1.0])
def test_the_mean_gradient_of_rloo_is_the_exact_one(group, beta):
    exact = language.gradient(elsewhere(), language.counting(), beta, LOG_REF)
    assert_unbiased(estimates(rlhf, beta, group), exact)


@pytest.mark.parametrize(
    ("line", "wrong"),
    [
        ("others = (totals - groups) / (group - 1)", "others = totals / group"),
        ("reward(y) - beta * log_ratios", "reward(y) + beta * log_ratios"),
        ("reward(y) - beta * log_ratios", "reward(y)"),
        ("log_probs.detach() - log_prob(ref_logits, y)", "log_probs - log_prob(ref_logits, y)"),
        ("loss = -(", "loss = ("),
    ],
)
def test_a_wrong_line_of_rloo_has_another_mean_gradient(line, wrong):
    """The sentence's own R in its baseline, a KL turned round, left out or differentiated."""
    exact = language.gradient(elsewhere(), language.counting(), 1.0, LOG_REF)
    found = estimates(with_line(line, wrong), 1.0, 4)
    with pytest.raises(AssertionError):
        assert_unbiased(found, exact)


def test_the_baseline_of_a_sentence_is_the_mean_of_the_others():
    """Its mean gradient does not know: half of that mean is unbiased, too."""
    rewards = torch.randn(12, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    theirs = wording.advantages(rewards.numpy()[None], "leave one out", 4)[0]
    np.testing.assert_allclose(rlhf.leave_one_out(rewards, 4), theirs, atol=1e-14)


def test_with_its_own_r_in_the_baseline_the_gradient_is_three_quarters():
    """1 − 1/K, and nothing else is wrong with it."""
    exact = language.gradient(elsewhere(), language.counting(), 1.0, LOG_REF)
    own = with_line("others = (totals - groups) / (group - 1)", "others = totals / group")
    assert_unbiased(estimates(own, 1.0, 4) / 0.75, exact)


@pytest.mark.parametrize("beta", [0.3, 1.0])
def test_rlhf_from_scratch_reaches_the_best_policy(beta):
    torch.manual_seed(0)
    logits = rlhf.reference().requires_grad_()
    for _ in islice(rlhf.rloo(logits, rlhf.reference(), beta), 240):
        pass
    log_p = language.log_probs(logits.detach().numpy())
    log_best, _ = language.best_policy(language.counting(), beta, LOG_REF)
    assert language.kl(LOG_REF, log_best) > 0.01
    assert language.kl(log_p, log_best) < 1e-3
    with contextlib.redirect_stdout(io.StringIO()) as printed:
        rlhf.main(seed=1, beta=beta)
    assert "seed 1: π* reached" in printed.getvalue()


# ── Whole episodes ───────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("method", ["reinforce", "baseline"])
def test_whole_episodes_from_scratch_learn(method):
    """Until they have solved it takes half a minute: python -m tests.benchmarks.from_scratch."""
    torch.manual_seed(0)
    networks = [
        torch.nn.Sequential(torch.nn.Linear(4, 32), torch.nn.Tanh(), torch.nn.Linear(32, outputs))
        for outputs in (2, 1)
    ]
    updates = (
        reinforce.reinforce(Written(), networks[0], 6, 0.03)
        if method == "reinforce"
        else baseline.baseline(Written(), *networks, 6, 0.03)
    )
    returns = np.mean([*islice(updates, 9)], axis=1)
    assert np.mean(returns[-3:]) > 1.5 * np.mean(returns[:3])
