"""Owns: the ways in which calls of the scripted week fail, and what each of them is by the catalogue of errors.

In: nothing. Out: rows for script.py (what happens), wire.py (how it is told) and truth.py (what it is). Invariant:
class,
advice and template are written down here by hand, from the catalogue's page, and not asked of any code.
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class Failure:
    method: str
    # What the bot got, and what Telegram said; `{n}` differs from case to case.
    status: int | None
    text: str | None
    cls: str
    advice: str
    # Who failed, and Gramtap's word where it was not Telegram.
    origin: str = "telegram"
    label: str | None = None
    # What reads `N` or `ID` where cases differ; None: the text as it is.
    template: str | None = None

    def shape(self) -> str:
        return self.template or self.text or self.label or ""

    def into_chat(self) -> bool:
        return self.method in INTO_CHATS


# Methods that name a chat.
INTO_CHATS = {
    "sendMessage", "sendPhoto", "sendDocument", "editMessageText", "deleteMessage", "banChatMember", "getChat",
    "forwardMessage",
    "getChatAdministrators", "setChatPermissions",
}

BLOCKED = Failure("sendMessage", 403, "Forbidden: bot was blocked by the user", "expected", "blocked_by_user")
FLOOD = Failure(
    "sendMessage", 429, "Too Many Requests: retry after {n}", "capacity", "flood",
    template="Too Many Requests: retry after N"
)
RIVAL = Failure(
    "getUpdates", 409,
    "Conflict: terminated by other getUpdates request; make sure that only one bot instance is running", "config",
    "two_pollers",
)
WEBHOOK_SET = Failure(
    "getUpdates", 409,
    "Conflict: can't use getUpdates method while webhook is active; use deleteWebhook to delete the webhook first",
    "config", "webhook_in_the_way",
)
POLL_GATEWAY = Failure("getUpdates", 502, None, "outage", "gateway", "edge", "page")
POLL_CUT = Failure("getUpdates", 504, None, "outage", "answer_lost", "network", "idle")

# What happens now and then, with how often beside each other.
EVERYDAY = [
    (6, Failure("sendMessage", 403, "Forbidden: user is deactivated", "expected", "user_deactivated")),
    (5, Failure("sendMessage", 400, "Bad Request: chat not found", "bug", "chat_unknown")),
    (5, Failure(
        "editMessageText", 400,
        "Bad Request: message is not modified: specified new message content and reply markup are "
        "exactly the same as a current content and reply markup of the message", "expected", "not_modified")),
    (4, Failure("deleteMessage", 400, "Bad Request: message to delete not found", "expected", "message_gone")),
    (4, Failure(
        "sendMessage", 400,
        "Bad Request: can't parse entities: Can't find end of the entity starting at byte offset {n}",
        "bug", "entities_broken",
        template="Bad Request: can't parse entities: Can't find end of the entity starting at byte offset N")),
    (4, Failure(
        "answerCallbackQuery", 400, "Bad Request: query is too old and response timeout expired or query ID is invalid",
        "bug", "query_expired")),
    (3, Failure("sendMessage", 400, "Bad Request: message is too long", "bug", "text_too_long")),
    (3, Failure("sendMessage", 400, "Bad Request: message text is empty", "bug", "text_empty")),
    (3, Failure("sendPhoto", 400, "Bad Request: wrong file identifier/HTTP URL specified", "bug", "file_unavailable")),
    (3, Failure("getFile", 400, "Bad Request: file is too big", "capacity", "download_too_large")),
    (
        2,
        Failure(
            "banChatMember", 400, "Bad Request: not enough rights to restrict/unrestrict chat member", "bug",
            "rights_missing",
        )
    ),
    (2, Failure("sendDocument", 413, "Request Entity Too Large", "capacity", "upload_too_large")),
    (2, Failure("sendMesage", 404, "Not Found: method not found", "config", "method_unknown")),
    (2, Failure("file", 404, "Not Found", "bug", "file_gone")),
    (2, Failure("getMe", 500, "Internal Server Error: restart", "outage", "server_restarts")),
    (2, Failure("forwardMessage", 400, "Bad Request: message to forward not found", "expected", "message_gone")),
    (3, Failure("sendMessage", 502, None, "outage", "telegram_unreachable", "network", "connect")),
    (3, Failure("sendMessage", 504, None, "outage", "answer_lost", "network", "idle")),
    (3, Failure("sendDocument", 502, None, "outage", "gateway", "edge", "page")),
    (3, Failure("sendPhoto", None, None, "expected", "bot_left", "client", "left")),
    (1, Failure("sendMessage", 503, None, "outage", "gramtap_busy", "gramtap", "pool_full")),
]
