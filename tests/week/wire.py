"""Owns: the records of calls.v1 and updates.v1 that tell of a deed.

In: deeds and sendings of script.py. Out: JSON as the contract of records describes it, in privacy mode `metadata`.
Invariant: only what
ingress writes in that mode is written: no names, of texts the length alone.
"""

import datetime

from people import SECOND


def moment(us: int) -> str:
    whole = datetime.datetime.fromtimestamp(us // SECOND, datetime.UTC)
    return f"{whole:%Y-%m-%dT%H:%M:%S}.{us % SECOND:06}Z"


def filled(**members: object) -> dict:
    return {name: value for name, value in members.items() if value is not None}


def record(deed: dict, sending: dict, bot: dict) -> dict:
    head = {"v": 1, "record": sending["record"], "tenant": bot["tenant"]}
    if sending["topic"] == "updates":
        return head | update(deed, sending, bot)
    match deed["did"]:
        case "called":
            return {"kind": "call"} | head | call(deed, bot)
        case "polled":
            span = {"from": moment(deed["since"]), "to": moment(deed["to"]), "count": deed["count"]}
            who = {"bot": bot["id"], "client": deed["client"], "longest_us": deed["longest"]}
            return {"kind": "polls"} | head | who | span
        case "lost":
            span = {"from": moment(deed["since"]), "to": moment(deed["to"]), "count": deed["count"]}
            return {"kind": "gap"} | head | {"reason": deed["reason"]} | span
    raise ValueError(deed["did"])


# Updates.

KINDS = {
    "wrote": "message", "paid": "message", "edited": "edited_message", "posted": "channel_post",
    "post edited": "edited_channel_post",
    "pressed": "callback_query", "queried": "inline_query", "chose": "chosen_inline_result", "voted": "poll_answer",
    "poll": "poll",
    "blocked": "my_chat_member", "unblocked": "my_chat_member", "added": "my_chat_member", "promoted": "my_chat_member",
    "removed": "my_chat_member", "member": "chat_member", "checkout": "pre_checkout_query",
    "reacted": "message_reaction",
    "hologram": "hologram",
}
STANDINGS = {
    "blocked": ("member", "kicked"), "unblocked": ("kicked", "member"), "added": ("left", "member"),
    "promoted": ("member", "administrator"),
    "removed": ("administrator", "kicked"), "member": ("left", "member"),
}


def update(deed: dict, sending: dict, bot: dict) -> dict:
    kind = KINDS[deed["did"]]
    return {
        "bot": bot["id"], "at": moment(sending["at"]), "via": sending["via"], "client": sending["client"],
        "update_id": deed["number"],
        "type": f"other:{kind}" if kind == "hologram" else kind,
        "update": {"update_id": deed["number"], kind: body(deed, bot)}, "cut": False,
    }


def person(user: dict | None) -> dict | None:
    if user is None:
        return None
    told = filled(id=user["id"], is_bot=user["bot"], language_code=user["language"])
    return told | ({"is_premium": True} if user["premium"] else {})


def body(deed: dict, bot: dict) -> dict:
    who, chat, date = person(deed["user"]), deed["chat"], deed["t"] // SECOND
    match deed["did"]:
        case "wrote" | "edited" | "posted" | "post edited" | "paid":
            return message(deed, who, date)
        case "pressed":
            button = filled(text=deed["button"], callback_data=deed["data"])
            rows = [[{"text": "?", "callback_data": "other"}], [button]] if deed["button"] else []
            under = {
                "message_id": deed["message"], "chat": chat, "date": date - 60,
                "reply_markup": {"inline_keyboard": rows},
            }
            return {
                "id": str(deed["number"] * 77), "from": who, "message": under, "chat_instance": "51",
                "data": deed["data"],
            }
        case "queried":
            return {"id": "9", "from": who, "query_length": deed["length"], "chat_type": "sender"}
        case "chose":
            return {"from": who, "query_length": deed["length"], "result_id": "17"}
        case "voted":
            return {"poll_id": deed["poll"], "user": who, "option_ids": deed["options"]}
        case "poll":
            return {"id": deed["poll"], "total_voter_count": deed["voters"], "is_closed": deed["closed"], "options": []}
        case "checkout":
            return {"id": "8", "from": who, "currency": deed["currency"], "total_amount": deed["amount"]}
        case "reacted":
            reactions = {
                name: [{"type": "emoji", "emoji": emoji} for emoji in deed[name.split("_")[0]]] for name in (
                    "old_reaction", "new_reaction"
                )
            }
            return {"chat": chat, "user": who, "message_id": deed["message"], "date": date} | reactions
        case "hologram":
            return {"from": who, "chat": chat, "date": date}
        case did:
            old, new = STANDINGS[did]
            member = who if did == "member" else {"id": bot["id"], "is_bot": True}
            standings = {
                "old_chat_member": {"user": member, "status": old}, "new_chat_member": {"user": member, "status": new},
            }
            return {"chat": chat, "from": who, "date": date} | standings


def message(deed: dict, who: dict | None, date: int) -> dict:
    edited = "first" in deed
    told = filled(
        message_id=deed["message"], chat=deed["chat"], date=deed["first"] if edited else date,
        edit_date=date if edited else None,
    )
    told |= filled(
        **{"from": who}, command=deed.get("command"), payload=deed.get("payload"), message_thread_id=deed.get("thread"),
    )
    if deed["did"] == "paid":
        return told | {"successful_payment": {"currency": deed["currency"], "total_amount": deed["amount"]}}
    if who is None:
        told["sender_chat"] = deed["chat"]
    media, length = deed.get("media"), deed.get("length")
    if media == "photo":
        told["photo"] = [
            {"file_size": 900, "width": 90, "height": 60}, {"file_size": deed["size"], "width": 900, "height": 600},
        ]
    elif media:
        told[media] = filled(file_size=deed["size"])
    if length is not None:
        told["caption_length" if media else "text_length"] = length
    return told


# Calls.

def call(deed: dict, bot: dict) -> dict:
    failure, method = deed["failure"], deed["method"]
    status, ok, error, origin, label = 200, True, None, "telegram", None
    if method == "file":
        ok = None
    if failure:
        status, origin, label = failure.status, failure.origin, failure.label
        ok = False if origin == "telegram" and method != "file" else None
        text = failure.text.format(n=deed.get("number")) if failure.text else None
        retry = deed["number"] if status == 429 else None
        if status is not None:
            error = {"code": status, "description": text, "retry_after": retry, "migrate_to_chat_id": None}
    if deed.get("refused"):
        status, ok = 401, False
        error = {"code": 401, "description": "Unauthorized", "retry_after": None, "migrate_to_chat_id": None}
    took = deed["took"]
    files = [{"field": "file", "name": None, "type": "image/jpeg", "bytes": size} for size in deed.get("files", [])]
    verb = "GET" if deed["shape"] in ("none", "query") else "POST"
    return filled(files=files or None) | {
        "bot": bot["id"], "at": moment(deed["at"]), "client": deed["client"], "method": method,
        "test": False,
        "http": {"verb": verb, "shape": deed["shape"], "bytes_in": 200, "bytes_out": 40_000, "status": status},
        "token": "verified" if deed["verified"] else "unverified", "params": params(deed), "params_cut": False,
        "ok": ok,
        "result": result(deed) if ok and deed["verified"] else None, "result_cut": False, "error": error,
        "origin": origin, "label": label,
        "took": {"total_us": took["total"], "upstream_us": took["upstream"], "own_us": took["own"]},
    }


def params(deed: dict) -> dict:
    method, chat = deed["method"], deed.get("chat")
    told = filled(chat_id=chat["id"] if chat else None)
    match method:
        case "getUpdates":
            return {"offset": 5, "timeout": 50, "limit": 100}
        case "editMessageText" | "deleteMessage" | "setMessageReaction":
            told |= filled(message_id=deed.get("message"))
        case "deleteMessages":
            told |= {"message_ids": [deed["message"], deed["message"] + 1]}
        case "copyMessage" | "forwardMessage":
            # The original's.
            told |= {"from_chat_id": -5, "message_id": 3}
        case "setWebhook":
            told |= {"url": "https://bot.example.org"}
    if deed.get("length") is not None:
        told["text_length" if method in ("sendMessage", "editMessageText") else "caption_length"] = deed["length"]
    if deed.get("reply_to"):
        told["reply_parameters"] = {"message_id": deed["reply_to"]}
    return told


def result(deed: dict) -> object:
    method, chat = deed["method"], deed.get("chat")
    if method == "copyMessage":
        return {"message_id": deed["message"]}
    if method == "sendMediaGroup":
        return [
            {
                "message_id": deed["message"] + place, "chat": chat, "date": 1, "photo": [{"file_size": 5}],
            } for place in range(deed["messages"])
        ]
    if method.startswith("send") or method in ("editMessageText", "forwardMessage"):
        told = {"message_id": deed["message"], "chat": chat, "date": deed["at"] // SECOND}
        if deed.get("media"):
            size = filled(file_size=deed.get("size"))
            told[deed["media"]] = [size] if deed["media"] == "photo" else size
        return told
    return None if method in ("getUpdates", "file") else True
