"""multiply.py KERNEL: print how many multiply-adds a second one core does in NumPy, in float32.

KERNEL is one of OpenBLAS's own, or empty for the one that it takes by itself.
"""

import os
import sys
import time

os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})
os.environ["OPENBLAS_NUM_THREADS"] = "1"
if sys.argv[1]:
    os.environ["OPENBLAS_CORETYPE"] = sys.argv[1]
import numpy as np  # noqa: E402 - it reads the variables when it is imported

best = 0
for n in 1024, 1536:
    a, b = np.random.default_rng(0).random((2, n, n), "float32")
    for _ in range(8):
        began = time.perf_counter()
        a @ b
        best = max(best, n**3 / (time.perf_counter() - began))
print(best)
