"""jvgate: the fast gate to Japanese horse-racing data (JRA-VAN Data Lab.)."""

__version__ = "0.1.0"
