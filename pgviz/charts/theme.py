"""One colour and one dash per method, the same on every page: colour means method.

Okabe and Ito's hues, which readers with any colour vision can tell apart, at a lightness that has
contrast of at least 3 : 1 on the light page and on the dark one; the dash doubles the colour.
Text and axes take their colours from the app's theme, light or dark.
"""

COLOR = {
    "full-return": "#DE6A1F",
    "reinforce": "#1B87C9",
    "baseline": "#0A9D77",
    "actor-critic": "#CC79A7",
    "gae": "#C58300",
    "ppo": "#8F74D2",
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
INK = {"light": "#15171c", "dark": "#f5f6f8"}  # the exact truth, always dashed
TRUTH_DASH = [7, 4]
BROKEN = "#DB3B4B"  # what is wrong on purpose, always with a cross; 4.2 : 1 on white and on dark
BROKEN_DASH = [3, 3]
