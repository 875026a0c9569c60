"""The facts of JV-Data and JV-Link as data files with typed access."""
