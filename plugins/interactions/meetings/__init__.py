"""Meetings with guests: invitations by mail, their answers, a calendar to subscribe."""
