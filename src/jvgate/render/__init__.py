"""Formats: dataset -> bytes."""
