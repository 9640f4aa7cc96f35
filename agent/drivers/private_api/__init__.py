"""The driver over instagrapi, the mobile client's API: composed low-level calls only."""
