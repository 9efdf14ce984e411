"""What a return can be, and how likely: P(G = g) from every state, exactly.

Axes: S states, H horizon.
"""

from collections import defaultdict

from pgviz.worlds.tabular import TabularMDP


def return_distribution(world: TabularMDP, state: int, steps_left: int) -> dict[float, float]:
    """{g: P(G = g)} of the undiscounted return of `steps_left` steps from this state.

    By the recursion G(s, n) = r + G(s′, n − 1); the returns of a world with few different rewards
    are few.
    """
    known: dict[int, dict[float, float]] = {s: {0.0: 1.0} for s in range(world.num_states)}
    ended = {0.0: 1.0}
    for _ in range(steps_left):
        longer = {}
        for s in range(world.num_states):
            found: defaultdict[float, float] = defaultdict(float)
            for a in range(world.num_actions):
                for following, chance in enumerate(world.flow[s, a]):
                    if chance == 0:
                        continue
                    rest = known[following] if following < world.num_states else ended
                    for later, share in rest.items():
                        total = round(float(world.rewards[s, a, following]) + later, 9)
                        found[total] += float(chance) * share
            longer[s] = dict(found)
        known = longer
    return known[state]
