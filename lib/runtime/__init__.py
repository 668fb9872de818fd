"""Image to containers: starting, checking, retiring, and what they say."""
