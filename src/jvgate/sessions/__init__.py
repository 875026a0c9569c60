"""Who holds JV-Link: sources, the archive folder, the pool of sessions; the asynchronous side."""
