"""MTCNN: where in decoded photos the faces are."""
