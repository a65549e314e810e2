"""What this machine makes of i2i, beside what the machine can do and, where asked, beside the reference.

Every module measures one thing and returns dataclasses; nothing here prints. `hardware` measures the limits on the
spot, `flops` counts what a round computes, `train` times training in processes of its own (`arms` drives them,
`ours` and `reference` are what runs in them), `convert`, `load`, `scale`, `check` and `fidelity` do what they say.
"""
