//! What a call of a method is called, and the media that it sends.
//!
//! In: a method's documented name. Out: the name of its event. Source: Bot API 10.x. Invariant: a method
//! that is not here is `call_made`, whatever it does.

use gramtap_events::event::Name;

/// The name of a call's event.
pub(super) fn name(method: &str) -> Name {
    match method {
        "copyMessage" | "copyMessages" | "forwardMessage" | "forwardMessages" | "sendMessage"
        | "sendMediaGroup" | "sendRichMessage" => Name::MessageSent,
        _ if media(method).is_some() => Name::MessageSent,
        "deleteMessage"
        | "deleteMessages"
        | "deleteEphemeralMessage"
        | "deleteBusinessMessages" => Name::MessageDeleted,
        "stopMessageLiveLocation" => Name::MessageEditSent,
        "answerCallbackQuery" => Name::CallbackAnswered,
        "answerInlineQuery" => Name::InlineAnswered,
        "getFile" => Name::FileAsked,
        "file" => Name::FileDownloaded,
        "setWebhook" => Name::WebhookSet,
        "deleteWebhook" => Name::WebhookDeleted,
        "getUpdates" => Name::Polled,
        _ if method.starts_with("editMessage") || method.starts_with("editEphemeralMessage") => {
            Name::MessageEditSent
        }
        _ => Name::CallMade,
    }
}

/// The kind of media that a method sends, as a message with it says.
pub(super) fn media(method: &str) -> Option<&'static str> {
    Some(match method {
        "sendAnimation" => "animation",
        "sendAudio" => "audio",
        "sendChecklist" => "checklist",
        "sendContact" => "contact",
        "sendDice" => "dice",
        "sendDocument" => "document",
        "sendGame" => "game",
        "sendInvoice" => "invoice",
        "sendLivePhoto" => "live_photo",
        "sendLocation" => "location",
        "sendPaidMedia" => "paid_media",
        "sendPhoto" => "photo",
        "sendPoll" => "poll",
        "sendSticker" => "sticker",
        "sendVenue" => "venue",
        "sendVideo" => "video",
        "sendVideoNote" => "video_note",
        "sendVoice" => "voice",
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Every method of the Bot API by the name of its event; those that are not here are `call_made`.
    const NAMES: [(Name, &str); 6] = [
        (
            Name::MessageSent,
            "copyMessage copyMessages forwardMessage forwardMessages sendAnimation sendAudio sendChecklist \
             sendContact sendDice sendDocument sendGame sendInvoice sendLivePhoto sendLocation sendMediaGroup \
             sendMessage sendPaidMedia sendPhoto sendPoll sendRichMessage sendSticker sendVenue sendVideo \
             sendVideoNote sendVoice",
        ),
        (
            Name::MessageEditSent,
            "editEphemeralMessageCaption editEphemeralMessageMedia editEphemeralMessageReplyMarkup \
             editEphemeralMessageText editMessageCaption editMessageChecklist editMessageLiveLocation \
             editMessageMedia editMessageReplyMarkup editMessageText stopMessageLiveLocation",
        ),
        (
            Name::MessageDeleted,
            "deleteBusinessMessages deleteEphemeralMessage deleteMessage deleteMessages",
        ),
        (Name::CallbackAnswered, "answerCallbackQuery"),
        (Name::InlineAnswered, "answerInlineQuery"),
        (Name::FileAsked, "getFile"),
    ];

    #[test]
    fn every_method_has_the_name_that_the_table_says() {
        for method in gramtap_telegram::method::KNOWN {
            let expected = match *method {
                "setWebhook" => Name::WebhookSet,
                "deleteWebhook" => Name::WebhookDeleted,
                "getUpdates" => Name::Polled,
                method => NAMES
                    .iter()
                    .find(|(_, methods)| methods.split_whitespace().any(|it| it == method))
                    .map_or(Name::CallMade, |(name, _)| *name),
            };
            assert_eq!(name(method), expected, "{method}");
        }
        assert_eq!(name("sendHologram"), Name::CallMade);
        assert_eq!(name("file"), Name::FileDownloaded);
    }
}
