"""PPO's clipped objective in NumPy, and its slopes: three functions.

L = mean_t min(ρ_t Â_t, clip(ρ_t, 1 − ε, 1 + ε) Â_t),   ρ_t = π(a_t|s_t) / π_old(a_t|s_t)

Source: Schulman et al., 2017, arXiv:1707.06347, equation 7.

Check it:  python -m pgviz check ppo ppo.py
"""

import numpy as np


def ratios(log_probs, old_log_probs):
    """ρ_t = π(a_t|s_t) / π_old(a_t|s_t), from the logarithms of both, all of them [T]."""
    return np.exp(log_probs - old_log_probs)


def clipped_surrogate(log_probs, old_log_probs, advantages, clip_coef):
    """L, a single number, to be made large; clip_coef is ε.

    log_probs, old_log_probs and advantages are [T].
    """
    rho = ratios(log_probs, old_log_probs)
    clipped = np.clip(rho, 1 - clip_coef, 1 + clip_coef)
    return np.minimum(rho * advantages, clipped * advantages).mean()


def surrogate_slopes(log_probs, old_log_probs, advantages, clip_coef):
    """∂L/∂log π(a_t|s_t) for every step: ρ_t Â_t / T, or 0 where the clip holds ρ_t.

    It holds where ρ_t has left the range on the side to which Â_t pushes.

    log_probs, old_log_probs and advantages are [T]; so is the result.
    """
    rho = ratios(log_probs, old_log_probs)
    too_high = (advantages > 0) & (rho > 1 + clip_coef)
    too_low = (advantages < 0) & (rho < 1 - clip_coef)
    slopes = rho * advantages / len(advantages)
    return np.where(too_high | too_low, 0.0, slopes)
