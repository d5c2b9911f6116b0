"""The index hears of every change and fetches what it is about."""

from core.events import Subscriber
from plugins.search.indexing import SUBSCRIBER, index_events

SUBSCRIBERS = [Subscriber(SUBSCRIBER, ("*",), index_events, batch=200)]
