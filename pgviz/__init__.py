"""pgviz: policy gradients you can run, rewind and measure."""
