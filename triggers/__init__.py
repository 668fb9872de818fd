"""One module per trigger our code answers, named after it: post-delete is post_delete.py."""
