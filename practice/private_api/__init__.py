"""The routes that the mobile client calls. Each module is one area; none knows a web page."""
