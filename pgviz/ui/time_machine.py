"""The time machine: go to any update of a recording and watch that very policy play."""

from pathlib import Path

import pandas as pd
import streamlit as st

from pgviz.charts import learning
from pgviz.runs import Recording, Run
from pgviz.runs.replay import replay, trajectory
from pgviz.training.rollout import Rollout
from pgviz.ui import controls, page
from pgviz.ui.controls import Number
from pgviz.ui.guard import fragment
from pgviz.ui.once import in_memory
from pgviz.ui.player import cartpole_player


def draw(run: Run, slug: str) -> None:
    """Choose update, seed and episode; watch it; read it step by step."""
    st.header("The time machine", anchor=False)
    recording = run.recording()
    if recording is None or recording.num_updates == 0:
        opens = "It opens as soon as the first update is recorded."
        st.markdown(opens if run.active else "There is no recording of this run.")
        return
    last = recording.num_updates if not run.active else run.config.num_updates
    place = (
        Number("update", "Update", 0, last),
        Number("seed", "Seed", 0, run.config.num_seeds - 1),
        Number("episode", "Episode", 0, run.config.num_envs - 1),
    )
    controls.drop_faults(place, slug)

    @fragment()
    def machine() -> None:
        left, right = st.columns([1, 2], gap="large")
        with left:
            asked = controls.draw(place[0], last, slider=True)
            update = min(asked, recording.num_updates)
            seed, episode = (controls.draw(control, 0) for control in place[1:])
            if update < asked:
                st.caption(f"Recorded so far: update {update}.")
            rollout, table = played(run.path, update, seed, episode)
            _where(run, recording, update, seed, rollout)
        with right:
            watch(run, update, seed, episode, key="player")
        with st.expander("This episode, step by step", icon=":material/table_rows:"):
            st.dataframe(
                table, hide_index=True, height=320, column_config=COLUMNS, key="trajectory"
            )
            st.caption(
                "The last column is |Ψ| times the length of the score ∇ log π: how hard the step"
                " pulls on the parameters, in whatever direction."
            )

    machine()


def watch(run: Run, update: int, seed: int, episode: int, key: str) -> None:
    """The policy of one update, playing."""
    rollout, table = played(run.path, update, seed, episode)
    final = rollout.final_obs[0, episode].tolist()
    cartpole_player(
        {
            "x": [*table["x"], final[0]],
            "angle": [*table["angle"], final[2]],
            "actions": table["action"].tolist(),
            "p_right": table["p_right"].tolist(),
            "rewards": table["reward"].tolist(),
            "terminated": bool(rollout.terminated[0, episode].any()),
            "truncated": bool(rollout.truncated[0, episode].any()),
        },
        key=key,
        title=f"Seed {seed} at update {update}, episode {episode}",
        gamma=run.config.gamma,
    )


def forget(run: Run | None) -> None:
    """Back to the end of this run, its first seed and its first episode."""
    st.session_state["seed"] = st.session_state["episode"] = 0
    st.session_state.pop("update", None)
    recording = run.recording() if run and not run.active else None
    if recording is not None and recording.num_updates:
        st.session_state["update"] = recording.num_updates


COLUMNS = {
    "t": st.column_config.NumberColumn("t", width="small"),
    "x": st.column_config.NumberColumn("x [m]", format="%.3f"),
    "x_dot": st.column_config.NumberColumn("ẋ [m/s]", format="%.3f"),
    "angle": st.column_config.NumberColumn("angle [rad]", format="%.4f"),
    "angle_dot": st.column_config.NumberColumn("rate [rad/s]", format="%.3f"),
    "action": st.column_config.NumberColumn("a", help="0 pushes left, 1 pushes right"),
    "reward": st.column_config.NumberColumn("r", format="%d"),
    "p_right": st.column_config.NumberColumn("π(right|s)", format="%.3f"),
    "return_to_go": st.column_config.NumberColumn("G", format="%.1f"),
    "value": st.column_config.NumberColumn("V̂(s)", format="%.1f"),
    "log_prob": st.column_config.NumberColumn("log π(a|s)", format="%.3f"),
    "weight": st.column_config.NumberColumn("Ψ", format="%.1f"),
    "pull": st.column_config.NumberColumn("Ψ·‖∇log π‖", format="%.1f"),
}


@in_memory(megabytes=32)
def played(path: Path, update: int, seed: int, episode: int) -> tuple[Rollout, pd.DataFrame]:
    """The episodes that this seed played for this update, and one of them as a table."""
    recording = Recording(path)
    theta = recording.theta(update)[seed]
    rollout = replay(recording.config, theta, seed, update)
    return rollout, trajectory(recording.config, theta, rollout, episode)


def _where(run: Run, recording: Recording, update: int, seed: int, rollout: Rollout) -> None:
    metrics = recording.metrics()
    returns = metrics["episode_return"][:, seed]
    mean = rollout.episode_returns.mean()
    page.chart(
        "chart-where",
        learning.where_in_training,
        run.config.method,
        run.config.num_updates,
        tables={
            "seed": pd.DataFrame({"update": range(len(returns)), "episode_return": returns}),
            "here": pd.DataFrame({"update": [update], "episode_return": [mean]}),
        },
        height=130,
        says=f"The returns of seed {seed}, with a mark at update {update}.",
    )
    num_envs = run.config.num_envs
    learned_from = update < len(returns) and metrics["active"][update, seed]
    if learned_from and not run.config.whole_episodes:
        st.caption(
            f"Update {update} learned from windows of {run.config.num_steps} steps. Here its policy"
            f" plays {num_envs} fresh whole episodes; their mean return is {mean:.2f}."
        )
    elif learned_from:
        st.caption(
            f"One of the {num_envs} episodes that update {update} learned from, played again."
            f" Their mean return is {mean:.2f}; the recording says {returns[update]:.2f}."
        )
    else:
        st.caption(
            f"The newest policy of this seed. Over {num_envs} fresh episode{'s' * (num_envs > 1)} its mean return is"
            f" {mean:.2f}."
        )
