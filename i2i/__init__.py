"""i2i: train a translator on your own folders of pictures, paired or not, and convert whole collections with it."""

__version__ = "0.1.0"
