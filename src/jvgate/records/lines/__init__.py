"""A batch of records to JSON text, for the layouts where this is measurably faster than one by one."""
