"""Owns: what events.v1 must hold of the scripted week.

In: deeds of script.py: what users and bots did, and which record told of it first. Out: for each deed its event: the
columns an
analyst reads, and what totals.py counts besides. Invariant: the names and columns are those of the contract of
records and of the
documentation of `gramtap_events::event`, written down here by hand; no record is read.
"""

from people import SECOND
from wire import moment

# What each deed is called, and whether Telegram dates it.
UPDATES = {
    "wrote": ("message_received", "message", True), "edited": ("message_edited", "edited_message", True),
    "posted": ("channel_post_received", "channel_post", True),
    "post edited": ("channel_post_edited", "edited_channel_post", True),
    "paid": ("payment_received", "message", True), "pressed": ("callback_pressed", "callback_query", False),
    "queried": ("inline_queried", "inline_query", False), "chose": ("inline_chosen", "chosen_inline_result", False),
    "voted": ("poll_answered", "poll_answer", False), "poll": ("poll_changed", "poll", False),
    "blocked": ("bot_blocked", "my_chat_member", True), "unblocked": ("bot_unblocked", "my_chat_member", True),
    "added": ("bot_added", "my_chat_member", True), "promoted": ("bot_promoted", "my_chat_member", True),
    "removed": ("bot_removed", "my_chat_member", True), "member": ("member_changed", "chat_member", True),
    "checkout": ("checkout_asked", "pre_checkout_query", False),
    "reacted": ("reaction_changed", "message_reaction", True),
    "hologram": ("update_other", "other:hologram", True),
}
CALLS = {
    "sendMessage": "message_sent", "sendPhoto": "message_sent", "sendDocument": "message_sent",
    "sendMediaGroup": "message_sent",
    "sendSticker": "message_sent", "sendLocation": "message_sent", "sendInvoice": "message_sent",
    "copyMessage": "message_sent",
    "forwardMessage": "message_sent", "editMessageText": "message_edit_sent", "deleteMessage": "message_deleted",
    "deleteMessages": "message_deleted", "answerCallbackQuery": "callback_answered",
    "answerInlineQuery": "inline_answered",
    "getFile": "file_asked", "file": "file_downloaded", "setWebhook": "webhook_set", "deleteWebhook": "webhook_deleted",
    "getUpdates": "polled",
}
SENT_MEDIA = {
    "sendPhoto": "photo", "sendDocument": "document", "sendSticker": "sticker", "sendLocation": "location",
    "sendInvoice": "invoice",
}
COLUMNS = [
    "event", "at", "happened_at", "direction", "via", "bot", "update_id", "update_type", "method", "chat_id",
    "chat_type", "thread_id", "user_id",
    "user_is_bot", "username", "language", "is_premium", "message_id", "reply_to_message_id", "command", "payload",
    "text", "text_length", "media",
    "media_bytes", "callback_data", "button_text", "ok", "error_code", "error_class", "took_ms", "own_ms", "amount",
    "currency", "props",
]


def events(bot: dict, deeds: list[dict]) -> list[dict]:
    """In the order in which the bus has the records that tell of them."""
    told = [event(bot, deed) for deed in deeds]
    return sorted(told, key=lambda it: it["place"])


def errors(bot: dict, events: list[dict]) -> list[dict]:
    """What errors.v1 must hold: failed calls of verified tokens."""
    told = []
    for event in events:
        if "error" not in event or not event["deed"]["verified"]:
            continue
        columns, error = event["columns"], event["error"]
        told.append({
            "error_id": columns["event_id"], "template": error["group"][2], "at": columns["at"], "bot": bot["id"],
            "origin": error["origin"],
            "class": columns["error_class"], "code": columns["error_code"], "method": columns["method"],
            "description": error["description"],
            "advice": error["advice"], "chat_id": columns["chat_id"], "user_id": columns["user_id"],
            "client": error["client"],
        })
    return told


def event(bot: dict, deed: dict) -> dict:
    columns = dict.fromkeys(COLUMNS) | {"bot": bot["id"], "props": {}}
    more: dict = {"place": deed["told"]["place"], "deed": deed}
    match deed["did"]:
        case "called":
            called(columns, more, deed)
        case "polled":
            columns |= {"event": "polled", "direction": "out", "via": "call", "method": "getUpdates", "ok": True}
            columns["props"] = {"count": deed["count"], "longest_ms": deed["longest"] / 1_000} | client(deed["client"])
            more |= {"at": deed["to"], "happened": deed["since"]}
        case "lost":
            columns |= {"event": "gap", "direction": "in", "via": "poll", "bot": None}
            columns["props"] = {"count": deed["count"], "reason": deed["reason"]}
            more |= {"at": deed["to"], "happened": deed["since"]}
        case _:
            heard(columns, more, deed)
    columns["at"], columns["happened_at"] = moment(more["at"]), moment(more["happened"])
    columns["event_id"] = {
        "called": f"c:{deed['told']['record']}", "polled": f"c:{deed['told']['record']}",
        "lost": f"g:{deed['told']['record']}",
    }.get(deed["did"], f"u:{bot['tenant']}:{deed.get('number')}")
    return more | {"columns": columns}


def client(who: dict) -> dict:
    return {name: value for name, value in who.items() if value is not None}


def heard(columns: dict, more: dict, deed: dict) -> None:
    name, kind, dated = UPDATES[deed["did"]]
    at = deed["told"]["at"]
    columns |= {
        "event": name, "update_type": kind, "update_id": deed["number"], "direction": "in", "via": deed["told"]["via"],
    }
    more |= {"at": at, "happened": deed["t"] // SECOND * SECOND if dated else at}
    user, chat = deed["user"], deed["chat"]
    if user:
        columns |= {
            "user_id": user["id"], "user_is_bot": user["bot"], "language": user["language"],
            "is_premium": user["premium"],
        }
    if chat:
        columns |= {"chat_id": chat["id"], "chat_type": chat["type"]}
    columns |= {
        "message_id": deed.get("message"), "thread_id": deed.get("thread"), "command": deed.get("command"),
        "payload": deed.get("payload"),
        "text_length": deed.get("length"), "media": deed.get("media"), "media_bytes": deed.get("size"),
        "callback_data": deed.get("data"),
        "button_text": deed.get("button"), "amount": deed.get("amount"), "currency": deed.get("currency"),
    }
    match deed["did"]:
        case "blocked" | "unblocked" | "added" | "promoted" | "removed" | "member":
            columns["props"] = standing(deed, columns["bot"])
        case "posted" | "post edited":
            columns["props"] = {"sender_chat": chat["id"]}
        case "queried":
            columns["props"] = {"from": "sender"}
        case "chose":
            columns["props"] = {"result_id": "17"}
        case "voted":
            columns["props"] = {"poll_id": deed["poll"], "options": deed["options"]}
        case "poll":
            columns["props"] = {"poll_id": deed["poll"], "voters": deed["voters"]} | (
                {"closed": True} if deed["closed"] else {}
            )
        case "reacted":
            columns["props"] = {"old": deed["old"], "new": deed["new"]}


def standing(deed: dict, bot: int) -> dict:
    """Whose standing changed from what to what, and whether somebody came or went by it."""
    inside = {"member", "administrator"}
    old, new = {
        "blocked": ("member", "kicked"), "unblocked": ("kicked", "member"), "added": ("left", "member"),
        "promoted": ("member", "administrator"),
        "removed": ("administrator", "kicked"), "member": ("left", "member"),
    }[deed["did"]]
    props: dict = {"old": old, "new": new, "member_id": deed["user"]["id"] if deed["did"] == "member" else bot}
    if old not in inside and new in inside:
        props["joined"] = True
    if old in inside and new not in inside:
        props["left"] = True
    return props


def called(columns: dict, more: dict, deed: dict) -> None:
    method, failure, took = deed["method"], deed["failure"], deed["took"]
    more |= {"at": deed["at"], "happened": deed["at"]}
    columns |= {
        "event": CALLS.get(method, "call_made"), "direction": "out", "via": "call", "method": method,
        "ok": failure is None,
        "took_ms": took["total"] / 1_000, "own_ms": took["own"] / 1_000,
    }
    props = columns["props"]
    props["upstream_ms"] = took["upstream"] / 1_000
    if failure:
        columns |= {"error_code": failure.status, "error_class": failure.cls}
        props |= {
            name: value for name, value in (("status", failure.status), ("label", failure.label)) if value is not None
        }
        if failure.status == 429:
            props["retry_after"] = deed["number"]
        text = failure.text.format(n=deed.get("number")) if failure.text else failure.label
        more["error"] = {
            "group": (method, failure.status, failure.shape()), "origin": failure.origin, "advice": failure.advice,
            "description": text,
            "client": deed["client"],
        }
    if not deed["verified"]:
        refused = deed["refused"]
        columns |= {"event": "call_unverified", "ok": not refused}
        if refused:
            columns |= {"error_code": 401, "error_class": "config"}
            props |= {"status": 401, "advice": "token_revoked"}
        props |= client(deed["client"])
        return
    more["took"] = took
    # Telegram's time is that of calls that Telegram answered.
    more["answered"] = failure is None or failure.origin == "telegram"
    if method == "getUpdates":
        props |= {"count": 1} | client(deed["client"])
        return
    chat = deed.get("chat")
    if chat:
        columns["chat_id"] = chat["id"]
        columns["user_id"] = chat["id"] if chat["id"] > 0 else None
    name = columns["event"]
    sends = name in ("message_sent", "message_edit_sent")
    # A message's kind of chat is known of the answer alone; a copy's answer is a number.
    if chat and sends and not failure and method != "copyMessage":
        columns["chat_type"] = chat["type"]
    columns |= {"text_length": deed.get("length"), "reply_to_message_id": deed.get("reply_to")}
    columns["media"] = SENT_MEDIA.get(method) if failure else deed.get("media")
    if sends and not failure or method in ("deleteMessage", "setMessageReaction"):
        columns["message_id"] = deed.get("message")
    if method == "deleteMessages":
        props["messages"] = 2
    if sends:
        columns["media_bytes"] = sum(deed["files"]) if deed.get("files") else deed.get("size")
        if deed.get("messages"):
            props |= {"messages": deed["messages"], "files": deed["messages"]}
    if name == "file_downloaded":
        columns["media_bytes"] = 40_000
    if method == "getMe":
        props |= client(deed["client"])
    if name in ("webhook_set", "webhook_deleted"):
        props |= client(deed["client"]) | ({"url": "https://bot.example.org"} if name == "webhook_set" else {})
