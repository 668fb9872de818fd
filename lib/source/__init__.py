"""How code arrives: repositories, pushes, archives, commits made from a directory."""
