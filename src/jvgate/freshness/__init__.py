"""Lifetimes of racing data: delivery calendar, post times, change rates, tags."""
