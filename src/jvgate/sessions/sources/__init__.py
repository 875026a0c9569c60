"""Sources of data by URL, one module per kind."""
