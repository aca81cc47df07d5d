"""What strangers may send us, drawn at random: every parser of foreign bytes, and the API by its own document."""
