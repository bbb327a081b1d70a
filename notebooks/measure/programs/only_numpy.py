"""A function that imports NumPy and does nothing: the least that a cold start of ours can take."""

import numpy  # noqa: F401
from nothing import lambda_handler  # noqa: F401
