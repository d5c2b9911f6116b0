"""One file that holds an installation: database, files and settings."""
