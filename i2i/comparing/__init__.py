"""Which of two translators people prefer: pairs shown blind on a page of this machine, and their votes counted.

`candidates` brings pictures of models or folders to one size, `ballot` shuffles them and keeps the votes, `page` and
`serving` show them, and `binomial` says how sure the outcome is.
"""

from i2i.comparing.ballot import Ballot, Choice, Outcome
from i2i.comparing.candidates import Candidate, Source, Trio, chosen, one_way, open_candidate, sources, trios
from i2i.comparing.serving import serve

__all__ = [
    "Ballot",
    "Candidate",
    "Choice",
    "Outcome",
    "Source",
    "Trio",
    "chosen",
    "one_way",
    "open_candidate",
    "serve",
    "sources",
    "trios",
]
