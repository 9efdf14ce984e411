"""Our CartPole is Gymnasium's, transition by transition, to the last bit."""

import gymnasium
import numpy as np
import pytest
from gymnasium.vector import AutoresetMode
from gymnasium.wrappers.vector import RecordEpisodeStatistics

from pgviz.networks import MLP
from pgviz.training.agent import Agent
from pgviz.training.rollout import collect_episodes
from pgviz.worlds import cartpole
from pgviz.worlds.cartpole import (
    ENV_ID,
    OBS_SCALE,
    CartPoleEnsemble,
    initial_states,
    next_state,
    out_of_bounds,
)

RANDOM_POLICY_LENGTH = 22.3  # Gymnasium's CartPole-v1, both actions equally likely


def gymnasium_episode(start, actions, limit=500):
    """Observations, terminated and truncated of one episode, by Gymnasium itself."""
    env = gymnasium.make("CartPole-v1", max_episode_steps=limit)
    env.reset(seed=0)
    env.unwrapped.state = tuple(start)
    steps = []
    for action in actions:
        obs, reward, terminated, truncated, _ = env.step(int(action))
        assert reward == 1
        steps.append((obs, terminated, truncated))
        if terminated or truncated:
            break
    return [np.array(x) for x in zip(*steps, strict=True)]


def our_episodes(num_envs, choose, limit=500, starts=None, num_seeds=1):
    """The same for many environments at once, without autoreset; `choose` maps t, state to actions."""
    env = CartPoleEnsemble(num_envs, num_seeds, limit, AutoresetMode.DISABLED)
    env.reset(seed=1)
    if starts is not None:
        env.state[:] = starts
    starts = env.state.T.copy()
    history, alive = [], np.ones(num_envs, bool)
    for t in range(limit):
        actions = choose(t, env.state)
        obs, rewards, terminated, truncated, _ = env.step(actions)
        assert (rewards == 1).all()
        history.append((actions, obs, terminated, truncated))
        alive &= ~(terminated | truncated)
        if not alive.any():
            break
    return starts, [np.array(x) for x in zip(*history, strict=True)]


def balance(t, state):
    """A feedback policy that keeps the pole up and the cart near the middle."""
    x, x_dot, angle, angle_dot = state
    return (angle + 0.4 * angle_dot + 0.02 * x + 0.05 * x_dot > 0).astype(int)


def assert_same_episode(env, start, actions, obs, terminated, truncated, limit=500):
    theirs = gymnasium_episode(start, actions[:, env], limit)
    length = len(theirs[0])
    for ours, their in zip((obs, terminated, truncated), theirs, strict=True):
        np.testing.assert_array_equal(ours[:length, env], their)
    assert terminated[length - 1, env] or truncated[length - 1, env]
    return length


def test_every_transition_is_gymnasiums_to_the_last_bit():
    draw = np.random.default_rng(0)
    states = draw.uniform(-1, 1, (12_000, 4)) * [3, 4, 0.3, 4]
    states[:100] = 0  # the limits themselves, and their neighbours on both sides
    limits = np.array([cartpole.X_LIMIT, cartpole.ANGLE_LIMIT])
    for i, towards in enumerate((0, 9, *limits)):
        states[2 * i, 0], states[2 * i + 1, 2] = np.nextafter(limits, towards)
        states[2 * i + 40, 0], states[2 * i + 41, 2] = -np.nextafter(limits, towards)
    actions = draw.integers(0, 2, len(states))

    ours = next_state(states.T.copy(), actions)
    env = gymnasium.make("CartPole-v1").unwrapped
    env.reset(seed=0)
    theirs, terminated = np.empty_like(states), np.empty(len(states), bool)
    for i, (state, action) in enumerate(zip(states, actions, strict=True)):
        env.state, env.steps_beyond_terminated = tuple(state), None
        _, _, terminated[i], _, _ = env.step(action)
        theirs[i] = env.state

    np.testing.assert_array_equal(ours.T, theirs)
    np.testing.assert_array_equal(out_of_bounds(ours), terminated)
    assert 0.2 < terminated.mean() < 0.8
    assert 0 < terminated[:8].sum() < 8, "the limits must tell > from ≥"


def test_whole_random_episodes_are_gymnasiums():
    draw = np.random.default_rng(0)
    starts, (*history,) = our_episodes(100, lambda t, state: draw.integers(0, 2, 100))
    lengths = [assert_same_episode(i, starts[i], *history) for i in range(100)]
    assert min(lengths) < 15
    assert max(lengths) > 40


def test_a_pole_that_never_falls_is_truncated_at_step_500_exactly():
    starts, history = our_episodes(4, balance)
    _, _, terminated, truncated = history
    assert not terminated.any()
    np.testing.assert_array_equal(np.argmax(truncated, axis=0), 499)
    assert [assert_same_episode(i, starts[i], *history) for i in range(4)] == [500] * 4


def test_a_pole_that_falls_on_step_500_is_terminated_and_truncated():
    gives_up = np.repeat(np.arange(485, 495), 3)  # from then on environment i pushes right for ever

    def choose(t, state):
        return np.where(t < gives_up, balance(t, state), 1)

    starts, history = our_episodes(len(gives_up), choose)
    _, _, terminated, truncated = history
    assert truncated[499].all()
    both = np.flatnonzero(terminated[499] & ~terminated[:499].any(axis=0))
    assert len(both), "no environment fell on the very last step"
    for i in both:
        assert assert_same_episode(i, starts[i], *history) == 500


@pytest.mark.parametrize("limit", [1, 9, 20])
def test_other_step_limits_are_kept_too(limit):
    draw = np.random.default_rng(limit)
    starts, history = our_episodes(20, lambda t, state: draw.integers(0, 2, 20), limit)
    for i in range(20):
        assert_same_episode(i, starts[i], *history, limit=limit)


def test_the_next_episode_begins_in_the_same_step_and_every_transition_happened():
    num_envs, num_steps = 6, 200
    env = CartPoleEnsemble(num_envs, num_seeds=2, max_episode_steps=30)
    first, _ = env.reset(seed=3)
    draw = np.random.default_rng(0)
    starts, actions = list(env.state.T.copy()), [[] for _ in range(num_envs)]
    obs_of = [[] for _ in range(num_envs)]
    np.testing.assert_array_equal(first, env.state.T.astype(np.float32))
    lengths, endings = [], set()
    for _ in range(num_steps):
        chosen = draw.integers(0, 2, num_envs)
        obs, _, terminated, truncated, infos = env.step(chosen)
        over = terminated | truncated
        assert bool(infos) == over.any()
        for i in range(num_envs):
            actions[i].append(chosen[i])
            obs_of[i].append(infos["final_obs"][i] if over[i] else obs[i])
            if not over[i]:
                continue
            assert infos["_final_obs"][i]
            theirs = gymnasium_episode(starts[i], actions[i], 30)
            np.testing.assert_array_equal(np.array(obs_of[i]), theirs[0])
            assert theirs[1][-1] == terminated[i]
            assert theirs[2][-1] == truncated[i]
            endings.add((bool(terminated[i]), bool(truncated[i])))
            lengths.append(len(theirs[0]))
            np.testing.assert_array_equal(obs[i], env.state[:, i].astype(np.float32))
            assert (np.abs(obs[i]) <= np.float32(0.05)).all()
            starts[i], actions[i], obs_of[i] = env.state[:, i].copy(), [], []
        if infos:
            np.testing.assert_array_equal(infos["_final_obs"], over)
    assert endings >= {(True, False), (False, True)}
    assert sum(lengths) + sum(map(len, actions)) == num_envs * num_steps


def test_gymnasiums_own_statistics_agree_on_the_lengths():
    env = RecordEpisodeStatistics(CartPoleEnsemble(8, num_seeds=4, max_episode_steps=40))
    env.reset(seed=0)
    draw = np.random.default_rng(1)
    ours, theirs, length = [], [], np.zeros(8, int)
    for _ in range(300):
        _, _, terminated, truncated, infos = env.step(draw.integers(0, 2, 8))
        over = terminated | truncated
        length += 1
        if over.any():
            ours += list(length[over])
            theirs += list(infos["episode"]["l"][over])
            length[over] = 0
    assert len(ours) > 50
    assert ours == theirs


def test_a_random_policy_lasts_22_steps_under_autoreset():
    per_env, num_envs = 10, 512
    env = CartPoleEnsemble(num_envs, num_seeds=16)
    env.reset(seed=0)
    draw = np.random.default_rng(0)
    lengths, counts = np.zeros((per_env + 1, num_envs)), np.zeros(num_envs, int)
    while counts.min() < per_env:  # the FIRST ten of each: a fixed time would favour short ones
        lengths[np.minimum(counts, per_env), np.arange(num_envs)] += 1
        _, _, terminated, truncated, _ = env.step(draw.integers(0, 2, num_envs))
        counts += terminated | truncated
    assert lengths[:per_env].mean() == pytest.approx(RANDOM_POLICY_LENGTH, abs=0.6)


def test_a_random_policy_lasts_22_steps_in_a_collected_rollout():
    env = CartPoleEnsemble(5_120, num_seeds=16, autoreset_mode=AutoresetMode.DISABLED)
    policy = MLP(OBS_SCALE, hidden=1)
    coin = np.zeros((16, policy.num_parameters), np.float32)
    rollout = collect_episodes(env, Agent(policy), coin, streams(16))
    assert rollout.mask.sum(axis=-1).mean() == pytest.approx(RANDOM_POLICY_LENGTH, abs=0.6)


def test_episodes_start_uniformly_within_the_reset_limit_every_time():
    env = CartPoleEnsemble(64, num_seeds=4, max_episode_steps=1)
    env.reset(seed=0)
    starts = np.concatenate([env.step(np.ones(64, int))[0] for _ in range(100)])
    assert np.abs(starts).max() <= np.float32(0.05)
    np.testing.assert_allclose(starts.mean(axis=0), 0, atol=0.002)
    np.testing.assert_allclose(starts.std(axis=0), 0.1 / 12**0.5, rtol=0.05)
    assert len(np.unique(starts, axis=0)) == len(starts), "no two episodes start alike"


def streams(num_seeds):
    children = np.random.SeedSequence(5).spawn(num_seeds)
    return [np.random.default_rng(child) for child in children]


def observations(env, reset_with, actions):
    """Everything an ensemble shows, final observations included: [T, S, N, 8].

    Others draw from the streams as well, as a policy's noise does in training.
    """
    env.reset(seed=reset_with)
    shown = []
    for action in actions:
        obs, _, _, _, infos = env.step(action.ravel())
        final = infos.get("final_obs", np.zeros_like(obs))
        over = infos.get("_final_obs", np.zeros(len(obs), bool))
        for stream in env.streams:
            stream.random(3)
        shown.append(np.concatenate([obs, np.where(over[:, None], final, 0)], axis=1))
    return np.array(shown).reshape(len(actions), env.num_seeds, -1, 8)


@pytest.mark.parametrize("num_copies", [1, 3, 16])
def test_a_seeds_episodes_depend_on_no_neighbour(num_copies):
    draw = np.random.default_rng(0)
    actions = draw.integers(0, 2, (400, 4, num_copies))
    together = observations(CartPoleEnsemble(4 * num_copies, 4), streams(4), actions)

    others = draw.integers(0, 2, actions.shape)
    others[:, 2] = actions[:, 2]
    beside = observations(CartPoleEnsemble(4 * num_copies, 4), streams(4), others)
    np.testing.assert_array_equal(beside[:, 2], together[:, 2])
    assert (beside[:, 1] != together[:, 1]).any()

    alone = observations(CartPoleEnsemble(num_copies), [streams(4)[2]], actions[:, 2:3])
    np.testing.assert_array_equal(alone[:, 0], together[:, 2])
    assert (together[:, 0] != together[:, 1]).any(), "seeds differ"


def test_start_states_are_handed_out_in_the_order_in_which_a_stream_draws_them():
    """However many wait in the pool: drawing each when it is needed gives the same episodes."""
    env = CartPoleEnsemble(12, num_seeds=3, max_episode_steps=15)
    env.reset(seed=streams(3))
    in_order = [initial_states(stream, 600) for stream in streams(3)]
    used = [4, 4, 4]
    draw = np.random.default_rng(0)
    while min(used) < 300:
        _, _, terminated, truncated, _ = env.step(draw.integers(0, 2, 12))
        for i in np.flatnonzero(terminated | truncated):
            np.testing.assert_array_equal(env.state[:, i], in_order[i // 4][used[i // 4]])
            used[i // 4] += 1
    assert len(set(used)) > 1


def test_one_number_seeds_everything_and_seed_zero_ignores_how_many_follow():
    actions = np.random.default_rng(0).integers(0, 2, (200, 4, 2))
    together = observations(CartPoleEnsemble(8, 4), 7, actions)
    np.testing.assert_array_equal(observations(CartPoleEnsemble(8, 4), 7, actions), together)
    alone = observations(CartPoleEnsemble(2, 1), 7, actions[:, :1])
    np.testing.assert_array_equal(alone[:, 0], together[:, 0])
    assert (observations(CartPoleEnsemble(8, 4), 8, actions) != together).any()


def test_a_second_reset_with_the_same_seed_starts_everything_again():
    env = CartPoleEnsemble(6, 2, max_episode_steps=20)
    actions = np.random.default_rng(0).integers(0, 2, (150, 2, 3))
    first = observations(env, 7, actions)
    np.testing.assert_array_equal(observations(env, 7, actions), first)
    assert (observations(env, None, actions) != first).any(), "no seed: the streams go on"


def test_gymnasium_makes_it_by_its_name():
    env = gymnasium.make_vec(ENV_ID, num_envs=8, num_seeds=4)
    assert ENV_ID == "pgviz/CartPole-v1"
    assert env.unwrapped.num_seeds == 4
    assert env.num_envs == 8
    assert env.metadata["autoreset_mode"] is AutoresetMode.SAME_STEP
    theirs = gymnasium.make_vec("CartPole-v1", num_envs=8)
    assert env.observation_space == theirs.observation_space
    assert env.action_space == theirs.action_space
    assert env.single_observation_space == theirs.single_observation_space
    assert env.single_action_space == theirs.single_action_space

    obs, infos = env.reset(seed=0)
    assert env.observation_space.contains(obs)
    assert infos == {}
    env.action_space.seed(0)
    for _ in range(60):
        obs, rewards, terminated, truncated, infos = env.step(env.action_space.sample())
        assert env.observation_space.contains(obs)
        for flags in (terminated, truncated):
            assert flags.shape == (8,)
            assert flags.dtype == bool
        assert rewards.shape == (8,)
        assert rewards.dtype == np.float64
        if infos:
            assert env.observation_space.contains(infos["final_obs"])
    env.close()


def test_what_step_returned_stays_what_it_was():
    env = CartPoleEnsemble(4, 2)
    obs, _ = env.reset(seed=0)
    kept = obs.copy()
    after, _, _, _, _ = env.step(np.ones(4, int))
    np.testing.assert_array_equal(obs, kept)
    kept = after.copy()
    env.step(np.ones(4, int))
    np.testing.assert_array_equal(after, kept)


def test_next_step_autoreset_is_refused_with_its_reason():
    with pytest.raises(ValueError, match="transitions that never happened"):
        CartPoleEnsemble(2, autoreset_mode=AutoresetMode.NEXT_STEP)


@pytest.mark.parametrize(("num_envs", "num_seeds"), [(5, 2), (4, 0), (2, 4)])
def test_every_seed_has_equally_many_environments(num_envs, num_seeds):
    with pytest.raises(ValueError, match="multiple of num_seeds"):
        CartPoleEnsemble(num_envs, num_seeds)


def test_there_is_one_stream_for_each_seed():
    with pytest.raises(ValueError, match="expected 2 streams, got 3"):
        CartPoleEnsemble(4, 2).reset(seed=streams(3))
