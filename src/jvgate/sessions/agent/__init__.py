"""Sessions on another machine: the agent, and the link to it over TCP."""
