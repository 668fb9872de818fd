"""Containers to traffic: which proxy an app uses, and its virtual hosts."""
