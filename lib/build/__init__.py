"""Source to image: which builder, and the builders."""
