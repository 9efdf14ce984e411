"""What sampled episodes say about the same questions, and how sure that is."""
