"""Taking out: moments that were found, as clips, as lists for other programs, as folders and archives.

Everything here is a pure function of a selection (`moments`), but for what reads recordings (`cutting`) and what writes
to disk (`folder`).
"""
