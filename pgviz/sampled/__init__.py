"""The same as exact/, from episodes: sampling, statistics, common random numbers."""
