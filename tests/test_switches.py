"""The three switches of the actor-critic: what each of them changes, and that it changes nothing else."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from test_critics import judged
from test_training import assert_same_rows

from pgviz.policies import log_prob
from pgviz.training import ConfigError, critic, presets, train
from pgviz.training.agent import VALUE_COEF, Agent
from pgviz.training.gradient import policy_gradient
from pgviz.training.loop import Learners
from pgviz.training.methods import actor_critic, methods
from pgviz.training.optimizer import clipped

INTACT = presets["actor-critic"].replace(num_seeds=3, num_envs=4, num_updates=6)
SWITCHED = {
    "nothing detached": INTACT.replace(detach=False),
    "a time limit is a fall": INTACT.replace(bootstrap_truncated=False),
    "one network": INTACT.replace(share_network=True),
}


def network(layers, obs, scale, output_scale):
    """One hidden layer of one seed as anybody would write it: W₁ [D+1, H], w₂ [H, 1], b₂ [1, 1]."""
    first, last, bias = layers
    features = torch.cat([obs * scale, torch.ones((*obs.shape[:-1], 1))], dim=-1)
    return output_scale * (torch.tanh(features @ first) @ last + bias)[..., 0]


def parts(mlp, row):
    """A row of theta as torch's leaves."""
    return [torch.tensor(x[0], requires_grad=True) for x in mlp.layers(row[None])]


def flat(gradients):
    return torch.cat([g.ravel() for g in gradients]).numpy()


def test_nothing_detached_is_the_autograd_of_the_joint_loss():
    """∇ mean (½ δ² − δ log π), through V̂(s) and through V̂(s′), which counts for nothing after a fall."""
    gamma = 0.9
    _, _, mlp, theta, rollout = judged("actor-critic")
    ours = critic.td_gradient(Agent(mlp, mlp), theta, rollout, gamma, detach=False)
    assert rollout.terminated.any()
    for k in range(len(theta)):
        layers, scale = parts(mlp, theta[k]), torch.tensor(mlp.obs_scale)
        there = torch.tensor(rollout.mask[k])
        said = network(layers, torch.tensor(rollout.obs[k]), scale, mlp.output_scale)
        then = network(layers, torch.tensor(rollout.next_obs[k]), scale, mlp.output_scale)
        then = torch.where(torch.tensor(rollout.terminated[k]), 0.0, then)
        delta = torch.tensor(rollout.rewards[k]) + gamma * then - said
        logits, right = torch.tensor(rollout.outputs[k]), torch.tensor(rollout.actions[k]).float()
        loss = (0.5 * delta**2 - delta * log_prob(logits, right))[there].mean()
        truth = flat(torch.autograd.grad(loss, layers))
        np.testing.assert_allclose(ours[k], truth, rtol=2e-4, atol=1e-4 * np.abs(truth).max())


def test_to_forget_the_detach_is_to_forget_the_detach():
    """The same loss, detached, has the semi-gradient that training follows; not detached, another."""
    _, _, mlp, theta, rollout = judged("actor-critic")
    psi = actor_critic(rollout, INTACT)
    detached, undetached = (
        critic.td_gradient(Agent(mlp, mlp), theta, rollout, INTACT.gamma, detach)
        for detach in (True, False)
    )
    (batch,) = critic.minibatches(rollout, psi + rollout.values, [], INTACT.replace(critic_steps=1))
    semi = critic.value_gradient(mlp, theta, batch)
    np.testing.assert_allclose(detached, semi, rtol=0, atol=1e-4 * np.abs(semi).max())
    assert np.abs(undetached - semi).max() > 0.1 * np.abs(semi).max()


def critic_gradient(learners, rollout, psi):
    """The gradient of mean ½ (V̂ − y)² over all steps of a rollout."""
    (batch,) = critic.minibatches(rollout, psi + rollout.values, [], learners.config)
    theta = np.ascontiguousarray(learners.agent.critic_part(learners.all_theta))
    return critic.value_gradient(learners.agent.critic, theta, batch)


def test_the_joint_gradient_is_the_autograd_of_a_network_that_shares_its_layer():
    config = SWITCHED["one network"]
    learners = Learners(config, [0, 1, 2])
    agent, theta = learners.agent, learners.all_theta
    theta += np.random.default_rng(0).normal(0, 0.3, theta.shape).astype(np.float32)
    learners.theta[:] = theta
    rollout = learners.collect(0)
    psi = methods[config.method].weight(rollout, config)
    up, _ = policy_gradient(agent, agent.policy_part(theta), rollout, psi)
    ours = learners.with_critic(up, rollout, psi)
    num_rows = rollout.mask.shape[1]
    for k in range(len(theta)):
        first, last, bias = parts(agent.shared, theta[k])
        scale, obs = torch.tensor(agent.shared.obs_scale), torch.tensor(rollout.obs[k])
        logits = network([first, last[:, :1], bias[0, 0]], obs, scale, 1.0)
        value_head = last[:, 1:], bias[0, 1]
        said = network([first, *value_head], obs, scale, agent.shared.output_scale[1])
        right, weight = torch.tensor(rollout.actions[k]).float(), torch.tensor(psi[k])
        surrogate = (weight * log_prob(logits, right)).sum() / num_rows
        targets = torch.tensor(psi[k] + rollout.values[k])
        objective = surrogate - VALUE_COEF * (0.5 * (said - targets) ** 2).mean()
        truth = flat(torch.autograd.grad(objective, [first, last, bias]))
        np.testing.assert_allclose(ours[k], truth, rtol=2e-4, atol=1e-4 * np.abs(truth).max())


def test_a_shared_network_is_clipped_as_one():
    """The critic's part is the longer one by far, so it is what the limit is about."""
    config = SWITCHED["one network"]
    learners = Learners(config, [0, 1, 2])
    rollout = learners.collect(0)
    psi = methods[config.method].weight(rollout, config)
    up, _ = policy_gradient(learners.agent, learners.policy, rollout, psi)
    joint = learners.with_critic(up, rollout, psi)
    told = next(train(config)).metrics["grad_norm"]
    np.testing.assert_allclose(told, clipped(joint, 0.5)[1], rtol=1e-5)
    assert (told > 2 * np.linalg.norm(up, axis=1)).all()


def test_sharing_takes_no_step_size_from_anybody_else():
    """What sharing does must not be the work of another learning rate."""
    config = SWITCHED["one network"]
    agent = Agent.of(config)
    rates = agent.learning_rates(config)
    first, last, bias = agent.shared.layers(rates[None])
    for policys in (first, last[..., 0], bias[..., 0]):
        assert (policys == np.float32(config.learning_rate)).all()
    for values in (last[..., 1], bias[..., 1]):
        assert (values == np.float32(config.critic_learning_rate)).all()
    assert config.learning_rate != config.critic_learning_rate


def test_a_shared_layer_is_one_layer_and_every_parameter_learns():
    config = SWITCHED["one network"]
    assert Agent.of(config).num_parameters < Agent.of(INTACT).num_parameters
    first, *_, last = train(config)
    assert np.abs(last.theta - first.played).max(axis=0).all()


@pytest.mark.parametrize("name", SWITCHED)
def test_normalised_for_the_policy_psi_stays_bare_for_the_critic(name):
    """Of a shared network that is the critic's head, and there but for the joint clipping."""
    agent = Agent.of(SWITCHED[name])
    bare, weighted = (
        next(train(SWITCHED[name].replace(normalize_advantages=normalise)))
        for normalise in (False, True)
    )
    np.testing.assert_array_equal(weighted.metrics["value_loss"], bare.metrics["value_loss"])
    critics = [
        agent.shared.layers(update.theta)[1][..., 1]
        if agent.shared
        else agent.critic_part(update.theta)
        for update in (bare, weighted)
    ]
    np.testing.assert_allclose(*critics, rtol=1e-4 if agent.shared else 0, atol=0)
    assert (agent.policy_part(bare.theta) != agent.policy_part(weighted.theta)).any()


def test_the_limit_taken_for_a_fall_takes_the_future_away_there_and_nowhere_else():
    *_, rollout = judged("actor-critic")
    last = np.zeros_like(rollout.mask)
    last[..., -1] = True
    cut = replace(rollout, terminated=np.zeros_like(last), truncated=last)
    right = actor_critic(cut, INTACT)
    wrong = actor_critic(replace(cut, terminated=cut.episode_over), INTACT)
    np.testing.assert_array_equal(right[~last], wrong[~last])
    np.testing.assert_allclose(
        (right - wrong)[last], INTACT.gamma * cut.next_values[last], rtol=1e-4, atol=1e-4
    )


def test_the_limit_is_no_fall_unless_the_switch_says_so():
    """Environments that are about to be cut: only the switched learners see a fall."""
    for name, config in {"intact": INTACT, **SWITCHED}.items():
        learners = Learners(config, [0, 1, 2])
        learners.env.steps[:] = 497
        rollout = learners.collect(0)
        assert rollout.truncated.any()
        seen = rollout.terminated[rollout.truncated]
        assert seen.all() if name == "a time limit is a fall" else not seen.any()


@pytest.mark.parametrize("name", SWITCHED)
def test_a_seed_alone_is_the_same_seed_in_company(name):
    together = list(train(SWITCHED[name]))
    alone = list(train(SWITCHED[name], seeds=[2]))
    for one, many in zip(alone, together, strict=True):
        assert_same_rows(one, 0, many, 2)


@pytest.mark.parametrize("name", SWITCHED)
def test_every_switch_changes_what_is_learned(name):
    """The limit must come within reach for that; the others matter from the first update on."""
    long = {"num_updates": 40} if "limit" in name else {}
    ends = []
    for config in (INTACT, SWITCHED[name]):
        learners = list(train(config.replace(**long)))
        ends.append(learners[-1].theta)
    assert ("limit" in name) == np.array_equal(*ends)


@pytest.mark.parametrize(
    ("method", "changes", "word"),
    [
        ("reinforce", {"share_network": True}, "windows"),
        ("baseline", {"bootstrap_truncated": False}, "never bootstraps"),
        ("gae", {"detach": False}, "critic_steps=1"),
        ("actor-critic", {"detach": False, "share_network": True}, "one switch at a time"),
    ],
)
def test_a_switch_that_makes_no_sense_is_refused_in_one_sentence(method, changes, word):
    with pytest.raises(ConfigError, match=word) as refused:
        presets[method].replace(**changes)
    assert "\n" not in str(refused.value)


# ── What is said about them ──────────────────────────────────────────────────────────────────

NONE = float("nan")
