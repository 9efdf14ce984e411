"""The methods as one would write them on a blank page: one file each, Gymnasium and torch alone.

Each file runs as it stands, in an empty folder: `python reinforce.py`. None knows pgviz or another
file, so what they have in common stands in each of them. The tests hold their gradients to those of
the engine, and those of `rlhf.py` to the exact ones of its language;
`python -m tests.benchmarks.from_scratch` measures when the others have solved CartPole.
"""
