"""Search for the settings of a recipe that do best on held-out pictures, in a budget of minutes.

`tuning` is the story; `space` says what is searched, `study` keeps what was found, `trial` trains one choice,
`held_out` says what the scores are measured on, `results` leaves them.
"""

from i2i.tuning.results import Row, Tuned
from i2i.tuning.tuning import TRIAL_STEPS, Keep, tune
from i2i.tuning.watching import Watcher

__all__ = ["TRIAL_STEPS", "Keep", "Row", "Tuned", "Watcher", "tune"]
