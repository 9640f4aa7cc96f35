"""Live screens of browsers: frames while somebody watches, and none otherwise."""
