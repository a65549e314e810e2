"""Tasks that make their own source from one folder of pictures: what is learnt is the way back.

`settings` names them without torch, `sources` makes a source from a picture, `folder` and `frames` are their training
sets.
"""
