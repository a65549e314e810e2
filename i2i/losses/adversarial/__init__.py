"""Objectives of the two-player game. Each is handed the critic, so a penalty can be part of it.

`discriminator(D, real=, fake=)` and `generator(D, real=, fake=)` return the named terms that each player makes small.
`fake` arrives detached where D is to learn. Scores are raw: no sigmoid.
"""

from i2i.losses.adversarial.classifying import Hinge, LeastSquares, Vanilla
from i2i.losses.adversarial.objective import Objective
from i2i.losses.adversarial.relativistic import Relativistic
from i2i.losses.adversarial.wasserstein import WGAN, WGANGP, MeanScores

__all__ = ["WGAN", "WGANGP", "Hinge", "LeastSquares", "MeanScores", "Objective", "Relativistic", "Vanilla"]
