"""Photo bytes to labelled faces: decode, detect, align, classify, label."""
