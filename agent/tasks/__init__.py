"""What each task type does with one item, over operations only."""
