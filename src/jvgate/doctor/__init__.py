"""The doctor: what is wrong with this machine, its JV-Link and the settings, and what to do, in two languages."""
