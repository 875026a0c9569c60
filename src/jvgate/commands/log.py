"""Where log lines go, and how they look: the same for every command."""

from __future__ import annotations

import logging
import sys

import structlog

__all__ = ["set_up_log"]


def set_up_log(form: str) -> None:
    """Send structured lines to stderr as *form* (console, json); the libraries' own loggers from WARNING up."""
    plain = structlog.dev.ConsoleRenderer(
        colors=sys.stderr.isatty(),
        exception_formatter=structlog.dev.plain_traceback,  # never the values of local variables
    )
    last = structlog.processors.JSONRenderer(ensure_ascii=False) if form == "json" else plain
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso"),
            *([structlog.processors.format_exc_info] if form == "json" else []),
            last,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.INFO),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
    )
    line = "%(asctime)s %(levelname)s %(name)s %(message)s"
    logging.basicConfig(level=logging.WARNING, stream=sys.stderr, format=line)
