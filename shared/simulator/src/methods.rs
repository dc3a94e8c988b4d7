//! The methods of the Bot API.
//!
//! In: a call with its arguments and files (`connection.rs`). Out: [`Done`], a result or failure
//! now, or a receiver for one later. [`perform`] checks token and method and hands on to the file
//! of the method's family. Invariant: one lock on the environment's world per call, no await under
//! it. A method of the known list that is not modelled answers `true`; any other is 404.

mod answers;
mod chats;
mod content;
mod edit;
pub(crate) mod media;
mod plain;
mod profile;
mod reply;
mod send;
mod updates;

use std::net::IpAddr;
use std::time::Duration;

use gramtap_telegram::{Method, Token};
use tokio::sync::oneshot;

use crate::config::{Mode, SimulatorConfig};
use crate::fail::Failure;
use crate::http::answer::Answer;
use crate::http::arguments::Arguments;
use crate::http::intake::Taken;
use crate::http::multipart::Upload;
use crate::json::Raw;
use crate::route::Environment;
use crate::shared::Shared;
use crate::world::bot::Bot;
use crate::world::polling::Reply;
use crate::world::{Answered, Waiter, World};

pub(crate) use reply::perform_reply;

/// A call as it came.
pub(crate) struct Asked<'a> {
    pub(crate) token: &'a str,
    pub(crate) environment: Environment,
    pub(crate) method: &'a str,
    pub(crate) taken: &'a Taken,
    /// The client's address, as far as the server can tell.
    pub(crate) client: IpAddr,
    pub(crate) connection: u64,
    pub(crate) request: u64,
}

/// What came of a call.
pub(crate) enum Done {
    Now(Result<Reply, Failure>),
    Later(oneshot::Receiver<Answered>, Option<Pending>),
}

/// Something of a bot that waits, and when its time is over.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Pending {
    pub(crate) bot: i64,
    pub(crate) number: u64,
    pub(crate) until: Duration,
}

/// A call being performed.
struct Call<'a> {
    world: &'a mut World,
    config: &'a SimulatorConfig,
    bot: i64,
    arguments: &'a Arguments,
    files: &'a [Upload],
    now: Duration,
    unix: i64,
}

/// What a method gives.
type Outcome = Result<Raw, Failure>;

/// Performs a call.
pub(crate) fn perform(shared: &Shared, asked: &Asked<'_>) -> Done {
    let config = &shared.config;
    let now = config.clock.now();
    let id = match well_formed(asked.token, config.mode) {
        Ok(id) => id,
        Err(failure) => return Done::Now(Err(failure)),
    };
    let mut world = shared.world(asked.environment);
    let admitted = admit(&mut world, id, asked.token, config.accept_any_token, now)
        .and_then(|()| enliven(&mut world, id, asked.client, config.new_bots_limit, now));
    if let Err(failure) = admitted {
        return Done::Now(Err(failure));
    }
    let arguments = &asked.taken.arguments;
    let name = if asked.method.is_empty() {
        arguments.text("method")
    } else {
        asked.method
    };
    let name = name.to_ascii_lowercase();
    let mut call = Call {
        world: &mut world,
        config,
        bot: id,
        arguments,
        files: &asked.taken.files,
        now,
        unix: config.clock.unix(),
    };
    if matches!(name.as_str(), "getupdates" | "setwebhook" | "deletewebhook") {
        let (reply, answered) = oneshot::channel();
        let waiter = Waiter {
            reply,
            connection: asked.connection,
            request: asked.request,
            since: now,
        };
        let pending = updates::perform(&mut call, &name, waiter);
        return Done::Later(answered, pending);
    }
    let result = call.perform(&name);
    Done::Now(result.map(|raw| Reply {
        result: raw.as_str().to_owned(),
        description: None,
    }))
}

/// The answer to a call.
pub(crate) fn reply(result: Result<Reply, Failure>) -> Answer {
    match result {
        Ok(reply) => Answer::json(200, envelope(&reply)),
        Err(failure) => Answer::failure(&failure),
    }
}

/// The body of an answer that tells of success.
fn envelope(reply: &Reply) -> String {
    let mut body = String::with_capacity(reply.result.len() + 32);
    body.push_str("{\"ok\":true,\"result\":");
    body.push_str(&reply.result);
    if let Some(description) = reply.description {
        body.push_str(",\"description\":");
        body.push_str(Raw::of(description).as_str());
    }
    body.push('}');
    body
}

/// Checks what can be checked of a token without knowing any (telegram.md §2.1, token checks).
pub(crate) fn well_formed(token: &str, mode: Mode) -> Result<i64, Failure> {
    match (Token::parse(token), mode) {
        (Ok(token), _) => Ok(token.bot().0),
        (Err(_), Mode::Production) => Err(Failure::new(404, "Not Found")),
        (Err(_), Mode::Bundled) => {
            let invalid = token.starts_with('0')
                || token.len() > 80
                || token.contains('/')
                || !token.contains(':');
            Err(if invalid {
                Failure::new(401, "Unauthorized: invalid token specified")
            } else {
                Failure::new(401, "Unauthorized")
            })
        }
    }
}

/// Finds the token's bot; makes it if any token is welcome.
pub(crate) fn admit(
    world: &mut World,
    id: i64,
    token: &str,
    any: bool,
    now: Duration,
) -> Result<(), Failure> {
    match world.bots.get(&id) {
        Some(bot) if !bot.is(token) => Err(Failure::new(401, "Unauthorized")),
        Some(bot) if bot.logged_out => Err(Failure::new(400, "Logged out")),
        Some(_) => Ok(()),
        None if any => {
            let bot = Bot::new(
                id,
                token,
                &format!("Bot {id}"),
                &format!("bot{id}_bot"),
                now,
            );
            world.bots.insert(id, bot);
            Ok(())
        }
        None => Err(Failure::new(401, "Unauthorized")),
    }
}

/// Counts a bot's first call against its client's address.
fn enliven(
    world: &mut World,
    id: i64,
    client: IpAddr,
    limited: bool,
    now: Duration,
) -> Result<(), Failure> {
    let live = world.bots.get(&id).is_none_or(|bot| bot.live);
    if limited && !live {
        world.admission.admit(client, now)?;
    }
    if let Some(bot) = world.bots.get_mut(&id) {
        bot.live = true;
    }
    Ok(())
}

impl Call<'_> {
    /// The method by its name in lower case.
    fn perform(&mut self, name: &str) -> Outcome {
        match name {
            "getme" => Ok(self.me()?.me()),
            "logout" => self.log_out(),
            "close" => self.close(),
            "getwebhookinfo" => self.webhook_info(),
            "sendmessage" => self.send_message(),
            "sendphoto" | "sendlivephoto" => self.send_media("photo"),
            "senddocument" => self.send_media("document"),
            "sendaudio" => self.send_media("audio"),
            "sendvideo" => self.send_media("video"),
            "sendanimation" => self.send_media("animation"),
            "sendvoice" => self.send_media("voice"),
            "sendvideonote" => self.send_media("video_note"),
            "sendsticker" => self.send_media("sticker"),
            "sendmediagroup" => self.send_media_group(),
            "sendpaidmedia" => self.send_paid_media(),
            "sendlocation" => self.send_location(),
            "sendvenue" => self.send_venue(),
            "sendcontact" => self.send_contact(),
            "senddice" => self.send_dice(),
            "sendgame" => self.send_game(),
            "sendinvoice" => self.send_invoice(),
            "createinvoicelink" => self.create_invoice_link(),
            "sendchecklist" => self.send_checklist(),
            "sendrichmessage" => self.send_rich_message(),
            "sendpoll" => self.send_poll(),
            "stoppoll" => self.stop_poll(),
            "editmessagetext" => self.edit_text(),
            "editmessagecaption" => self.edit_caption(),
            "editmessagemedia" => self.edit_media(),
            "editmessagereplymarkup" => self.edit_markup(),
            "editmessagechecklist" => self.edit_checklist(),
            "setgamescore" => self.about_own_message(),
            "editmessagelivelocation" | "stopmessagelivelocation" => self.edit_location(),
            "getmanagedbottoken" | "replacemanagedbottoken" => self.managed_token(),
            "deletemessage" => self.delete_message(),
            "deletemessages" => self.delete_messages(),
            "forwardmessage" => self.forward_message(),
            "forwardmessages" => self.repeat_messages(false),
            "copymessage" => self.copy_message(),
            "copymessages" => self.repeat_messages(true),
            "pinchatmessage" => self.about_message("message to pin not found"),
            "setmessagereaction" => self.about_message("message to react not found"),
            "getfile" => self.get_file(),
            "uploadstickerfile" => self.upload_sticker_file(),
            "answercallbackquery" => self.answer_callback_query(),
            "answerinlinequery" => self.answer_inline_query(),
            "answershippingquery" => self.answer_shipping_query(),
            "answerprecheckoutquery" => self.answer_pre_checkout_query(),
            "answerwebappquery" => self.answer_web_app_query(),
            "sendchataction" => self.send_chat_action(),
            "getchat" => self.get_chat(),
            "getchatmember" => self.get_chat_member(),
            "getchatadministrators" => self.get_chat_administrators(),
            "getchatmembercount" | "getchatmemberscount" => self.get_chat_member_count(),
            "leavechat" => self.leave_chat(),
            "banchatmember" | "kickchatmember" => self.ban(true),
            "unbanchatmember" => self.ban(false),
            "setchattitle" => self.rename_chat(true),
            "setchatdescription" => self.rename_chat(false),
            "createchatinvitelink"
            | "editchatinvitelink"
            | "revokechatinvitelink"
            | "createchatsubscriptioninvitelink" => self.create_invite_link(),
            "exportchatinvitelink" => self.export_invite_link(),
            "createforumtopic" => self.create_forum_topic(),
            "unpinchatmessage"
            | "unpinallchatmessages"
            | "restrictchatmember"
            | "promotechatmember"
            | "setchatpermissions"
            | "sendmessagedraft" => self.about_chat(),
            "setmycommands" => self.set_commands(),
            "getmycommands" => self.get_commands(),
            "deletemycommands" => self.delete_commands(),
            "setmyname" => self.set_own_text("name"),
            "getmyname" => self.get_own_text("name"),
            "setmydescription" => self.set_own_text("description"),
            "getmydescription" => self.get_own_text("description"),
            "setmyshortdescription" => self.set_own_text("short_description"),
            "getmyshortdescription" => self.get_own_text("short_description"),
            "setchatmenubutton" => self.set_object("menu_button", "menu_button"),
            "getchatmenubutton" => self.get_object("menu_button", r#"{"type":"commands"}"#),
            "setmydefaultadministratorrights" => self.set_object("rights", "rights"),
            "getmydefaultadministratorrights" => self.get_object("rights", profile::NO_RIGHTS),
            _ if !Method::named(name).is_known() => {
                Err(Failure::new(404, "Not Found: method not found"))
            }
            _ => match (plain::result(name), plain::failure(name)) {
                (_, Some(failure)) => Err(Failure::bad(failure)),
                (Some(result), None) => Ok(Raw::parse(result).unwrap_or_else(Raw::truth)),
                (None, None) => Ok(Raw::truth()),
            },
        }
    }

    /// The bot that calls.
    fn me(&mut self) -> Result<&mut Bot, Failure> {
        let bot = self.world.bots.get_mut(&self.bot);
        bot.ok_or_else(|| Failure::new(401, "Unauthorized"))
    }
}
