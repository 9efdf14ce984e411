"""One colour and one dash per method, the same on every page: colour means method.

Okabe and Ito's palette, which readers with any colour vision can tell apart; the dash doubles it.
Text and axes take their colours from the app's theme, light or dark.
"""

COLOR = {
    "full-return": "#D55E00",
    "reinforce": "#0072B2",
    "baseline": "#009E73",
    "actor-critic": "#CC79A7",
    "gae": "#E69F00",
    "ppo": "#56B4E9",
}
DASH = {
    "full-return": [6, 3],
    "reinforce": [1, 0],
    "baseline": [10, 3],
    "actor-critic": [3, 2],
    "gae": [12, 3, 2, 3],
    "ppo": [2, 2],
}
QUIET = "#7d828c"  # notes and reference lines; 3.7 : 1 on white, 4.9 : 1 on the dark page
