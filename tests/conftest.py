import os

# Read when torch is first imported. Networks as small as the tests' only lose time to a second thread.
os.environ.setdefault("OMP_NUM_THREADS", "1")
