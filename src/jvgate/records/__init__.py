"""Framing, decoding and encoding of JV-Data records, driven by the layouts alone."""
