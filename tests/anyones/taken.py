"""The models that take the walk, all of them."""

from . import families, files, kinds  # noqa: F401 (they fill the table)
from .table import PREPARATIONS, TAKEN

__all__ = ["PREPARATIONS", "TAKEN"]
