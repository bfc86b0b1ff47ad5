"""Folders in, passages out."""

import os

# Vectors are compared in processes that share the machine with a language model. OpenBLAS's threads, having multiplied,
# wait for more by burning a core for some 50 ms, and with them a comparison of 50,000 vectors takes 8 ms instead of 9.
# Read once, when numpy is loaded.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
