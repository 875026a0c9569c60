"""Datasets and finished answers in memory: lifetimes, least recently used, one read for all who wait."""
