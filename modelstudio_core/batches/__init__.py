"""Batches: files of requests that are answered within hours, at half the price.

A run is a directory that survives every interruption; see ``BatchRun``.
"""

from modelstudio_core.batches.results import BatchRow
from modelstudio_core.batches.run import BatchRun

__all__ = ["BatchRow", "BatchRun"]
