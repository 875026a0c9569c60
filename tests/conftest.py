"""Settings of all tests."""

from hypothesis import settings

# No example has a time limit: the machine may be busy with other tests.
settings.register_profile("jvgate", deadline=None)
settings.load_profile("jvgate")
