"""Tests with apps that the add-on does not depend on: each file names the one that has to be installed.

They are not imported with the other tests and pytest does not look in here by itself: name the folder, on a database
that has the apps.
"""
