"""Tables of one record type as CSV, Arrow and Parquet.  These modules load pyarrow: import them in a function only."""
