"""Sign-in: the pages by which staff and members get in and out; who they are is for app.staff and app.members.

A *sign-in* opens a session on one host; a *one-time link* leads to a page that shows who it is for and asks for a
password. Showing that page spends nothing, because mail scanners open links; sending its form does.
"""
