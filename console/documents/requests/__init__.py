"""Requests for documents to somebody outside: what is asked, the letters, the page behind the link, and what the asker may do meanwhile."""

from console.documents.requests.asker import (
    State,
    by_hand,
    finish,
    link,
    remind,
    renew,
    revoke,
    state,
    stop_waiting,
)
from console.documents.requests.outside import Page, keep, open_link, submit, take, take_away
from console.documents.requests.request_letters import letters
from console.documents.requests.request_rows import Item, Request, is_known
