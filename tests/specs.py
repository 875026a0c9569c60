"""The facts of each provider, loaded once for all tests."""

from jvgate.spec.spec import load_spec

__all__ = ["JRA", "NV"]

JRA = load_spec("jra")
NV = load_spec("nv")
