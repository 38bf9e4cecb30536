"""The bytes of photos: stored, read where they lie, and let go."""
