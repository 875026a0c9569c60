"""The one path from a question to its answer, and the work around it: jobs, streams, prefetch, calls to JV-Link."""
