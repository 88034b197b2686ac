"""Workers share the cores, and so do the commands that they start. Libraries read this when they are first imported."""

import os

for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
    workers = int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", 1))
    os.environ.setdefault(name, str(max(1, (os.cpu_count() or 1) // workers)))
