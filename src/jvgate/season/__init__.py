"""A generated racing season as raw JV-Data, for `demo:`; made of facts and the encoder."""
