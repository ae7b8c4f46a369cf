"""Words and checks of notices that senders need; nothing here asks the database."""

from comptroller.domains.notices.engine.targets import is_public
from comptroller.domains.notices.engine.telling import text_of, title

__all__ = ["is_public", "text_of", "title"]
