"""The pages a person or a browser sees: sign-in, feed, profile, post and create."""
