"""The desktop's side of the wire: pairing, the control link, the bulk link and logs."""
