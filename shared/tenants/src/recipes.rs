//! How to set the address in each library: README.md's recipes, filled in.
//!
//! In: an address. Out: `gramtap bots`, the console. Invariant: the code is that of README.md, word for word with
//! the address put in; a test compares them. An address with a path is not offered to a library that
//! would drop it. Pure.

use url::Url;

/// A library's recipe. `{base}` stands for the address without a slash at its end; `{scheme}`,
/// `{host}` and `{port}` for its parts.
#[derive(Debug)]
pub struct Recipe {
    /// Its name, with its major version where two of them differ.
    pub library: &'static str,
    note: &'static str,
    /// Whether it keeps the path of the address.
    path: bool,
    /// What the code needs to be known, lines without an end. The token is called `TOKEN` or `token`.
    pub imports: &'static str,
    code: &'static str,
}

static ALL: [Recipe; 15] = [
    Recipe {
        library: "aiogram",
        note: "3",
        path: true,
        imports: r#"from aiogram import Bot
from aiogram.client.session.aiohttp import AiohttpSession
from aiogram.client.telegram import TelegramAPIServer"#,
        code: r#"bot = Bot(TOKEN, session=AiohttpSession(api=TelegramAPIServer.from_base("{base}")))"#,
    },
    Recipe {
        library: "python-telegram-bot",
        note: "22",
        path: true,
        imports: r#"from telegram.ext import ApplicationBuilder"#,
        code: r#"app = ApplicationBuilder().token(TOKEN).base_url("{base}/bot").base_file_url("{base}/file/bot").build()"#,
    },
    Recipe {
        library: "pyTelegramBotAPI",
        note: "4; the asynchronous half: asyncio_helper, the same two names",
        path: true,
        imports: r#"import telebot"#,
        code: r#"telebot.apihelper.API_URL = "{base}/bot{0}/{1}"
telebot.apihelper.FILE_URL = "{base}/file/bot{0}/{1}"
bot = telebot.TeleBot(TOKEN)"#,
    },
    Recipe {
        library: "grammY",
        note: "1; files plugin: the same apiRoot in hydrateFiles; with plain http fetch getUrl(), its download() takes https only",
        path: true,
        imports: r#"import { Bot } from "grammy";"#,
        code: r#"const bot = new Bot(token, { client: { apiRoot: "{base}" } });"#,
    },
    Recipe {
        library: "telegraf",
        note: "4",
        path: true,
        imports: r#"import { Telegraf } from "telegraf";"#,
        code: r#"const bot = new Telegraf(token, { telegram: { apiRoot: "{base}/" } });"#,
    },
    Recipe {
        library: "node-telegram-bot-api 0.6x",
        note: "downloads too",
        path: true,
        imports: r#"import TelegramBot from "node-telegram-bot-api";"#,
        code: r#"const bot = new TelegramBot(token, { polling: true, baseApiUrl: "{base}" });"#,
    },
    Recipe {
        library: "node-telegram-bot-api",
        note: "2; downloads: GET {base}/file/bot<token>/<file_path>",
        path: true,
        imports: r#"import { Bot } from "node-telegram-bot-api";"#,
        code: r#"const bot = new Bot(token, { apiRoot: "{base}" });"#,
    },
    Recipe {
        library: "go-telegram-bot-api",
        note: "5; downloads: GET {base}/file/bot<token>/<file_path>",
        path: true,
        imports: r#"import tgbotapi "github.com/go-telegram-bot-api/telegram-bot-api/v5""#,
        code: r#"bot, err := tgbotapi.NewBotAPIWithAPIEndpoint(token, "{base}/bot%s/%s")"#,
    },
    Recipe {
        library: "telebot",
        note: "4 and 3, Go",
        path: true,
        imports: r#"import "time"

import tele "gopkg.in/telebot.v4""#,
        code: r#"bot, err := tele.NewBot(tele.Settings{Token: token, URL: "{base}", Poller: &tele.LongPoller{Timeout: 10 * time.Second}})"#,
    },
    Recipe {
        library: "TelegramBots",
        note: "9 and 10, Java; downloads: GET {base}/file/bot<token>/<file_path>",
        path: false,
        imports: r#"import org.telegram.telegrambots.client.okhttp.OkHttpTelegramClient;
import org.telegram.telegrambots.longpolling.TelegramBotsLongPollingApplication;
import org.telegram.telegrambots.longpolling.util.DefaultGetUpdatesGenerator;
import org.telegram.telegrambots.meta.TelegramUrl;
import org.telegram.telegrambots.meta.generics.TelegramClient;"#,
        code: r#"TelegramUrl url = TelegramUrl.builder().schema("{scheme}").host("{host}").port({port}).build();
TelegramClient client = new OkHttpTelegramClient(token, url);
application.registerBot(token, () -> url, new DefaultGetUpdatesGenerator(), consumer);"#,
    },
    Recipe {
        library: "telegram-bot-sdk",
        note: "3, PHP; its downloads break if the host begins with bot",
        path: true,
        imports: r#"use Telegram\Bot\Api;"#,
        code: r#"$telegram = new Api($token, false, null, "{base}/bot");   // or 'base_bot_url' => "{base}/bot" in its configuration"#,
    },
    Recipe {
        library: "php-telegram-bot/core",
        note: "0.83",
        path: false,
        imports: r#"use Longman\TelegramBot\Request;"#,
        code: r#"Request::setCustomBotApiUri("{base}");"#,
    },
    Recipe {
        library: "TelegramBot/Api",
        note: "2, PHP, the current code; 2.6-dev: one null more; downloads: GET {base}/file/bot<token>/<file_path>",
        path: true,
        imports: r"use TelegramBot\Api\BotApi;",
        code: r#"$bot = new BotApi($token, null, "{base}/bot");"#,
    },
    Recipe {
        library: "defstudio/telegraph",
        note: "1, Laravel, in config/telegraph.php",
        path: true,
        imports: "",
        code: r#"'telegram_api_url' => '{base}/',"#,
    },
    Recipe {
        library: "curl",
        note: "a first call, by hand",
        path: true,
        imports: "",
        code: r#"curl "{base}/bot$TOKEN/getMe""#,
    },
];

/// The library would call another address than it is given: it drops the path.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "drops the path of an address: register the bot by its id, or set public_url to a name with wildcard DNS"
)]
pub struct DropsPath;

/// All of them, in README.md's order.
#[must_use]
pub fn all() -> &'static [Recipe] {
    &ALL
}

impl Recipe {
    /// Its versions, and what there is to know.
    #[must_use]
    pub fn note(&self, base: &str) -> String {
        self.note.replace("{base}", base.trim_end_matches('/'))
    }

    /// All that is to be written, imports first.
    ///
    /// # Errors
    /// As [`Recipe::lines`].
    pub fn printed(&self, base: &str) -> Result<String, DropsPath> {
        let code = self.lines(base)?;
        Ok(match self.imports {
            "" => code,
            imports => format!("{imports}\n\n{code}"),
        })
    }

    /// The code with the address put in; lines without an end. [`Recipe::imports`] stand before it.
    ///
    /// # Errors
    /// The address has a path, and the library drops paths.
    pub fn lines(&self, base: &str) -> Result<String, DropsPath> {
        let base = base.trim_end_matches('/');
        let url = Url::parse(base).ok();
        if !self.path && url.as_ref().is_some_and(|url| url.path() != "/") {
            return Err(DropsPath);
        }
        let part = |read: fn(&Url) -> Option<String>| url.as_ref().and_then(read);
        let scheme = part(|url| Some(url.scheme().to_owned()));
        let host = part(|url| url.host_str().map(str::to_owned));
        let port = part(|url| url.port_or_known_default().map(|port| port.to_string()));
        Ok(self
            .code
            .replace("{base}", base)
            .replace("{scheme}", &scheme.unwrap_or_default())
            .replace("{host}", &host.unwrap_or_default())
            .replace("{port}", &port.unwrap_or_default()))
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    const BASE: &str = "https://gramtap.example.com";
    const README: &str = include_str!("../../../README.md");

    /// README.md's code with the address in the place of its variable, line by line.
    fn readme() -> String {
        let quoted = format!("\"{BASE}\"");
        let open = format!("\"{BASE}");
        README
            .replace("f\"{BASE}", &open)
            .replace("`${BASE}/`", &format!("\"{BASE}/\""))
            .replace("BASE + \"", &open)
            .replace("base+\"", &open)
            .replace("\"$base", &open)
            .replace("$base", &quoted)
            .replace("URL: base", &format!("URL: {quoted}"))
            .replace("BASE", &quoted)
    }

    #[test]
    fn recipes_are_those_of_the_readme() {
        let readme = readme();
        for recipe in all() {
            let lines = recipe.lines(BASE).unwrap();
            assert!(readme.contains(&lines), "{}: {lines}", recipe.library);
        }
        let named: Vec<_> = README
            .lines()
            .filter_map(|line| line.strip_prefix("**")?.split_once("**"))
            .map(|(library, _)| library)
            .collect();
        let ours: Vec<_> = all().iter().map(|recipe| recipe.library).collect();
        assert_eq!(named, ours);
    }

    #[test]
    fn nothing_is_left_open() {
        let base = "http://127.0.0.1:8080/";
        let mut text = String::new();
        for recipe in all() {
            text.push_str(&recipe.note(base));
            text.push_str(&recipe.lines(base).unwrap());
        }
        for open in [
            "{base}",
            "{scheme}",
            "{host}",
            "{port}",
            "8080//bot",
            "BASE",
        ] {
            assert!(!text.contains(open), "{open}: {text}");
        }
        assert!(text.contains(r#".host("127.0.0.1").port(8080)"#), "{text}");
        assert!(
            text.contains(r#"curl "http://127.0.0.1:8080/bot$TOKEN/getMe""#),
            "{text}"
        );
    }

    #[test]
    fn a_path_is_not_given_to_a_library_that_drops_it() {
        let base = "http://127.0.0.1:8080/c/code";
        let dropping = all().iter().filter(|it| it.lines(base) == Err(DropsPath));
        let dropping: Vec<_> = dropping.map(|it| it.library).collect();
        assert_eq!(dropping, ["TelegramBots", "php-telegram-bot/core"]);
        let aiogram = all()[0].lines(base).unwrap();
        assert!(aiogram.contains(r#"from_base("http://127.0.0.1:8080/c/code")"#));
    }
}
