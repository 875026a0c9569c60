"""Output formats: one module each, which ends in the declaration of its format; `registry.py` lists them."""
