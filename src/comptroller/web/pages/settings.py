"""Settings: channels, sources, people, the work in the background."""

import asyncio
from typing import Final

from litestar import Response

from comptroller import settings
from comptroller.api.policy import Policy
from comptroller.spine.orchestrator import access, background, notices, overview
from comptroller.web.visit import Page, Visit, see_other
from comptroller.worker.sending.network import SendError
from comptroller.worker.sending.senders import send_one


async def show_settings(visit: Visit) -> Response[bytes]:
    """Show where notices go, what is pulled, who may come in, and how the background goes."""
    return await _page(visit, told=None)


async def _page(visit: Visit, *, told: str | None, status: int = 200) -> Response[bytes]:
    may_administer = visit.may(Policy.ADMINISTER)
    return visit.page(
        "settings.html",
        status=status,
        title="Settings",
        told=told,
        channels=await visit.ask(notices.list_channels),
        sources=await visit.ask(background.list_sources),
        upkeep=await visit.ask(overview.upkeep),
        users=await visit.ask(access.list_users, count=100) if may_administer else [],
        keys=await visit.ask(access.list_keys, count=100) if may_administer else [],
    )


async def try_channel(visit: Visit, name: str) -> Response[bytes]:
    """Send a test message by a channel, at once."""
    channel, destination = await visit.ask(notices.open_channel, name, visit.service.peppers)
    message = notices.probe_message(visit.caller, channel, settings.public_url())
    try:
        await asyncio.to_thread(send_one, destination, message)
    except SendError as error:
        return await _page(visit, told=f"{channel.name} did not take the test: {error}", status=502)
    return await _page(visit, told=f"{channel.name} took the test message.")


async def retry_channel(visit: Visit, name: str) -> Response[bytes]:
    """Have what a channel could not deliver wait again."""
    await visit.ask(notices.retry_channel, name)
    return see_other("/settings")


PAGES: Final = (
    Page("GET", "/settings", Policy.READ, show_settings),
    Page("POST", "/settings/channels/{name:str}/test", Policy.ADMINISTER, try_channel),
    Page("POST", "/settings/channels/{name:str}/retry", Policy.ADMINISTER, retry_channel),
)
