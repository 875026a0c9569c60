"""The figures jvgate promises, each a ratio to a naive reference measured in the same minutes."""
