"""What dokku does; commands/ and triggers/ are the two ways in. Start reading at lib/deploy.py."""
