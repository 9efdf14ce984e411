"""Settings of a server that come from its environment."""

import logging
import math
import os


def number_of(name: str, usual: float, low: float, high: float) -> float:
    """The number of an environment variable; the usual one, and a sentence in the log, if it is none."""
    text = os.environ.get(name, str(usual))
    try:
        found = float(text)
    except ValueError:
        found = math.nan
    if low <= found <= high:
        return found
    logging.getLogger(__name__).warning(
        "%s=%s is no number from %g to %g: %g is used.", name, text, low, high, usual
    )
    return usual
