"""The season's world as JV-Data records, one module per group of record types."""
