"""SQL of incidents and their timeline."""
