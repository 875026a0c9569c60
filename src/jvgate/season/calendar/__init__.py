"""The season's clock: stored deliveries of the week, and real-time data of a moment."""
