"""PPO: why not take ten steps on one batch?"""

from pgviz.ui.walk import walk

walk("ppo")
