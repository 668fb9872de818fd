"""One module per program we drive: one function, one invocation; arguments in, Python values out."""
