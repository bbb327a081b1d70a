"""Typical wrong answers to the exercises and the homework, each with words of what it has to get.

By the exercise's name: what a student writes in the place of the starter, and the words.
"""

from . import cloud, function
from .homework import WRONG_HOMEWORK

WRONG = function.WRONG | cloud.WRONG

__all__ = ["WRONG", "WRONG_HOMEWORK"]
