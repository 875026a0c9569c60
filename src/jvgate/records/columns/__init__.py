"""A batch of records to typed columns, without a loop over records."""
