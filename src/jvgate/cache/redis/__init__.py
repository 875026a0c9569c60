"""The shared tier over Redis: datasets that every jvgate server on the same Redis shares."""
