"""Archive folders of raw JV-Data: reading them as a source, and recording into them."""
