"""Training: a configuration goes in, a stream of updates comes out."""

from pgviz.training.config import Config, ConfigError, presets, with_settings
from pgviz.training.loop import METRICS, Update, train

__all__ = ["METRICS", "Config", "ConfigError", "Update", "presets", "train", "with_settings"]
