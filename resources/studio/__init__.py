"""How the practice media library is drawn, played and encoded: a developer's tool.

`make_media.py` is the door. Nothing here runs in the application, which only reads the files made.
"""
