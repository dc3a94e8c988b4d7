//! The Bot API's methods by name.
//!
//! In: the method as a client wrote it (any case). Out: [`Method`], with the documented
//! spelling where the name is known. Source of the list: Bot API 10.x. Invariant: an unknown
//! name is carried as sent, never refused: new methods appear with every release.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};

/// A method's name: the documented spelling when known, else as the client sent it (cut to 64 bytes).
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Method(Cow<'static, str>);

/// An unknown name longer than this is cut; the longest documented name has 36 characters.
const LONGEST: usize = 64;

impl Method {
    /// Looks the name up, ignoring case as Telegram's server does.
    #[must_use]
    pub fn named(name: &str) -> Self {
        match known(name) {
            Some(spelling) => Self(Cow::Borrowed(spelling)),
            None => {
                let end = (0..=name.len().min(LONGEST))
                    .rev()
                    .find(|&at| name.is_char_boundary(at));
                Self(Cow::Owned(name[..end.unwrap_or(0)].to_owned()))
            }
        }
    }

    /// The name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether this version knows the method.
    #[must_use]
    pub fn is_known(&self) -> bool {
        matches!(self.0, Cow::Borrowed(_))
    }

    /// Whether this is the long poll.
    #[must_use]
    pub fn is_get_updates(&self) -> bool {
        self.0 == "getUpdates"
    }

    /// Whether the method's result is itself a token, which no record may hold.
    #[must_use]
    pub fn answers_a_token(&self) -> bool {
        matches!(
            self.as_str(),
            "getManagedBotToken" | "replaceManagedBotToken"
        )
    }
}

/// The documented spelling of `name`, if it is a method of the Bot API.
fn known(name: &str) -> Option<&'static str> {
    KNOWN
        .binary_search_by(|spelling| {
            let folded = spelling.bytes().map(|byte| byte.to_ascii_lowercase());
            folded.cmp(name.bytes().map(|byte| byte.to_ascii_lowercase()))
        })
        .ok()
        .map(|at| KNOWN[at])
}

/// Every method of Bot API 10.x, sorted without regard to case.
pub const KNOWN: &[&str] = &[
    "addStickerToSet",
    "answerCallbackQuery",
    "answerChatJoinRequestQuery",
    "answerGuestQuery",
    "answerInlineQuery",
    "answerPreCheckoutQuery",
    "answerShippingQuery",
    "answerWebAppQuery",
    "approveChatJoinRequest",
    "approveSuggestedPost",
    "banChatMember",
    "banChatSenderChat",
    "close",
    "closeForumTopic",
    "closeGeneralForumTopic",
    "convertGiftToStars",
    "copyMessage",
    "copyMessages",
    "createChatInviteLink",
    "createChatSubscriptionInviteLink",
    "createForumTopic",
    "createInvoiceLink",
    "createNewStickerSet",
    "declineChatJoinRequest",
    "declineSuggestedPost",
    "deleteAllMessageReactions",
    "deleteBusinessMessages",
    "deleteChatPhoto",
    "deleteChatStickerSet",
    "deleteEphemeralMessage",
    "deleteForumTopic",
    "deleteMessage",
    "deleteMessageReaction",
    "deleteMessages",
    "deleteMyCommands",
    "deleteStickerFromSet",
    "deleteStickerSet",
    "deleteStory",
    "deleteWebhook",
    "editChatInviteLink",
    "editChatSubscriptionInviteLink",
    "editEphemeralMessageCaption",
    "editEphemeralMessageMedia",
    "editEphemeralMessageReplyMarkup",
    "editEphemeralMessageText",
    "editForumTopic",
    "editGeneralForumTopic",
    "editMessageCaption",
    "editMessageChecklist",
    "editMessageLiveLocation",
    "editMessageMedia",
    "editMessageReplyMarkup",
    "editMessageText",
    "editStory",
    "editUserStarSubscription",
    "exportChatInviteLink",
    "forwardMessage",
    "forwardMessages",
    "getAvailableGifts",
    "getBusinessAccountGifts",
    "getBusinessAccountStarBalance",
    "getBusinessConnection",
    "getChat",
    "getChatAdministrators",
    "getChatGifts",
    "getChatMember",
    "getChatMemberCount",
    "getChatMenuButton",
    "getCustomEmojiStickers",
    "getFile",
    "getForumTopicIconStickers",
    "getGameHighScores",
    "getManagedBotAccessSettings",
    "getManagedBotToken",
    "getMe",
    "getMyCommands",
    "getMyDefaultAdministratorRights",
    "getMyDescription",
    "getMyName",
    "getMyShortDescription",
    "getMyStarBalance",
    "getStarTransactions",
    "getStickerSet",
    "getUpdates",
    "getUserChatBoosts",
    "getUserGifts",
    "getUserPersonalChatMessages",
    "getUserProfileAudios",
    "getUserProfilePhotos",
    "getWebhookInfo",
    "giftPremiumSubscription",
    "hideGeneralForumTopic",
    "leaveChat",
    "logOut",
    "pinChatMessage",
    "postStory",
    "promoteChatMember",
    "readBusinessMessage",
    "refundStarPayment",
    "removeBusinessAccountProfilePhoto",
    "removeChatVerification",
    "removeMyProfilePhoto",
    "removeUserVerification",
    "reopenForumTopic",
    "reopenGeneralForumTopic",
    "replaceManagedBotToken",
    "replaceStickerInSet",
    "repostStory",
    "restrictChatMember",
    "revokeChatInviteLink",
    "savePreparedInlineMessage",
    "savePreparedKeyboardButton",
    "sendAnimation",
    "sendAudio",
    "sendChatAction",
    "sendChatJoinRequestWebApp",
    "sendChecklist",
    "sendContact",
    "sendDice",
    "sendDocument",
    "sendGame",
    "sendGift",
    "sendInvoice",
    "sendLivePhoto",
    "sendLocation",
    "sendMediaGroup",
    "sendMessage",
    "sendMessageDraft",
    "sendPaidMedia",
    "sendPhoto",
    "sendPoll",
    "sendRichMessage",
    "sendRichMessageDraft",
    "sendSticker",
    "sendVenue",
    "sendVideo",
    "sendVideoNote",
    "sendVoice",
    "setBusinessAccountBio",
    "setBusinessAccountGiftSettings",
    "setBusinessAccountName",
    "setBusinessAccountProfilePhoto",
    "setBusinessAccountUsername",
    "setChatAdministratorCustomTitle",
    "setChatDescription",
    "setChatMemberTag",
    "setChatMenuButton",
    "setChatPermissions",
    "setChatPhoto",
    "setChatStickerSet",
    "setChatTitle",
    "setCustomEmojiStickerSetThumbnail",
    "setGameScore",
    "setManagedBotAccessSettings",
    "setMessageReaction",
    "setMyCommands",
    "setMyDefaultAdministratorRights",
    "setMyDescription",
    "setMyName",
    "setMyProfilePhoto",
    "setMyShortDescription",
    "setPassportDataErrors",
    "setStickerEmojiList",
    "setStickerKeywords",
    "setStickerMaskPosition",
    "setStickerPositionInSet",
    "setStickerSetThumbnail",
    "setStickerSetTitle",
    "setUserEmojiStatus",
    "setWebhook",
    "stopMessageLiveLocation",
    "stopPoll",
    "transferBusinessAccountStars",
    "transferGift",
    "unbanChatMember",
    "unbanChatSenderChat",
    "unhideGeneralForumTopic",
    "unpinAllChatMessages",
    "unpinAllForumTopicMessages",
    "unpinAllGeneralForumTopicMessages",
    "unpinChatMessage",
    "upgradeGift",
    "uploadStickerFile",
    "verifyChat",
    "verifyUser",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_list_is_sorted_and_each_name_finds_itself_in_any_case() {
        let folded: Vec<String> = KNOWN.iter().map(|name| name.to_ascii_lowercase()).collect();
        assert!(
            folded.windows(2).all(|pair| pair[0] < pair[1]),
            "keep the list sorted without regard to case"
        );
        for name in KNOWN {
            assert_eq!(Method::named(&name.to_ascii_uppercase()).as_str(), *name);
        }
    }

    #[test]
    fn an_unknown_name_stays_as_sent_and_bounded() {
        assert_eq!(Method::named("getSomethingNew").as_str(), "getSomethingNew");
        assert!(!Method::named("getSomethingNew").is_known());
        let long = "ж".repeat(100);
        assert_eq!(Method::named(&long).as_str(), "ж".repeat(32));
    }
}
