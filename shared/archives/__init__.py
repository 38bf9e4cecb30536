"""Archives that photos come in: what may be taken from them, and how it is read.

An archive is hostile until it is read: its members' names are labels and never paths, its sizes are
claims, and whatever is decompressed is counted.
"""
