"""What runs inside the started processes: the shipped programs, composed with points to die at.

Nothing here is known to the shipped packages; everything is wrapped around them from outside.
"""
