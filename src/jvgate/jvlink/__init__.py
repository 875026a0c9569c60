"""JV-Link's own interface, the session that drives it and the simulator; standard library only."""
