"""This machine: files that stay, paths as text, who may read what. Client and service alike stand on it."""
