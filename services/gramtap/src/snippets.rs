//! How to set the address in each library: README.md's recipes, filled in.
//!
//! In: an address. Out: `bots/show.rs`. Invariant: the code is that of README.md, word for word with
//! the address put in; a test compares them. An address with a path is not offered to a library that
//! would drop it. Pure.

use url::Url;

/// A library's recipe. `{base}` stands for the address without a slash at its end; `{scheme}`,
/// `{host}` and `{port}` for its parts.
struct Snippet {
    library: &'static str,
    note: &'static str,
    /// Whether it keeps the path of the address.
    path: bool,
    code: &'static str,
}

static ALL: [Snippet; 13] = [
    Snippet {
        library: "aiogram",
        note: "3",
        path: true,
        code: r#"bot = Bot(TOKEN, session=AiohttpSession(api=TelegramAPIServer.from_base("{base}")))"#,
    },
    Snippet {
        library: "python-telegram-bot",
        note: "22",
        path: true,
        code: r#"app = ApplicationBuilder().token(TOKEN).base_url("{base}/bot").base_file_url("{base}/file/bot").build()"#,
    },
    Snippet {
        library: "pyTelegramBotAPI",
        note: "4; the asynchronous half: asyncio_helper, the same two names",
        path: true,
        code: r#"telebot.apihelper.API_URL = "{base}/bot{0}/{1}"
telebot.apihelper.FILE_URL = "{base}/file/bot{0}/{1}""#,
    },
    Snippet {
        library: "grammY",
        note: "1; files plugin: the same apiRoot in hydrateFiles; with plain http fetch getUrl(), its download() takes https only",
        path: true,
        code: r#"const bot = new Bot(token, { client: { apiRoot: "{base}" } });"#,
    },
    Snippet {
        library: "telegraf",
        note: "4",
        path: true,
        code: r#"const bot = new Telegraf(token, { telegram: { apiRoot: "{base}/" } });"#,
    },
    Snippet {
        library: "node-telegram-bot-api",
        note: "0.6x and 2; downloads in 2: GET {base}/file/bot<token>/<file_path>",
        path: true,
        code: r#"const bot = new TelegramBot(token, { polling: true, baseApiUrl: "{base}" });   // 0.6x
const bot = new Bot(token, { apiRoot: "{base}" });                             // 2"#,
    },
    Snippet {
        library: "go-telegram-bot-api",
        note: "5; downloads: GET {base}/file/bot<token>/<file_path>",
        path: true,
        code: r#"bot, err := tgbotapi.NewBotAPIWithAPIEndpoint(token, "{base}/bot%s/%s")"#,
    },
    Snippet {
        library: "telebot",
        note: "4 and 3, Go",
        path: true,
        code: r#"bot, err := tele.NewBot(tele.Settings{Token: token, URL: "{base}", Poller: &tele.LongPoller{Timeout: 10 * time.Second}})"#,
    },
    Snippet {
        library: "TelegramBots",
        note: "9 and 10, Java; downloads: GET {base}/file/bot<token>/<file_path>",
        path: false,
        code: r#"TelegramUrl url = TelegramUrl.builder().schema("{scheme}").host("{host}").port({port}).build();
TelegramClient client = new OkHttpTelegramClient(token, url);
application.registerBot(token, () -> url, new DefaultGetUpdatesGenerator(), consumer);"#,
    },
    Snippet {
        library: "telegram-bot-sdk",
        note: "3, PHP",
        path: true,
        code: r#"$telegram = new Api($token, false, null, "{base}/bot");   // or 'base_bot_url' => "{base}/bot" in its configuration"#,
    },
    Snippet {
        library: "php-telegram-bot/core",
        note: "0.83",
        path: false,
        code: r#"Request::setCustomBotApiUri("{base}");"#,
    },
    Snippet {
        library: "TelegramBot/Api",
        note: "2, PHP; downloads: GET {base}/file/bot<token>/<file_path>",
        path: true,
        code: r#"$bot = new BotApi($token, null, "{base}/bot");         // current code
$bot = new BotApi($token, null, null, "{base}/bot");   // 2.6-dev"#,
    },
    Snippet {
        library: "defstudio/telegraph",
        note: "1, Laravel, in config/telegraph.php",
        path: true,
        code: r#"'telegram_api_url' => '{base}/',"#,
    },
];

/// All recipes for an address.
pub(crate) fn all(base: &str) -> String {
    let base = base.trim_end_matches('/');
    let parts = Url::parse(base).ok();
    let mut text = String::new();
    for snippet in &ALL {
        let note = snippet.note.replace("{base}", base);
        text.push_str(&format!("\n  {} ({note})\n", snippet.library));
        for line in snippet.lines(base, parts.as_ref()).lines() {
            text.push_str(&format!("    {line}\n"));
        }
    }
    text
}

impl Snippet {
    fn lines(&self, base: &str, parts: Option<&Url>) -> String {
        let has_path = parts.is_some_and(|url| url.path() != "/");
        if has_path && !self.path {
            return "drops the path of an address: register the bot by its id, or set public_url to a name with wildcard DNS"
                .to_owned();
        }
        let part = |read: fn(&Url) -> Option<String>| parts.and_then(read).unwrap_or_default();
        self.code
            .replace("{base}", base)
            .replace("{scheme}", &part(|url| Some(url.scheme().to_owned())))
            .replace("{host}", &part(|url| url.host_str().map(str::to_owned)))
            .replace(
                "{port}",
                &part(|url| url.port_or_known_default().map(|port| port.to_string())),
            )
    }
}

#[cfg(test)]
mod tests {
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
        let parts = Url::parse(BASE).ok();
        for snippet in &ALL {
            let lines = snippet.lines(BASE, parts.as_ref());
            assert!(readme.contains(&lines), "{}: {lines}", snippet.library);
        }
        let named: Vec<_> = README
            .lines()
            .filter_map(|line| line.strip_prefix("**")?.split_once("**"))
            .map(|(library, _)| library)
            .collect();
        let ours: Vec<_> = ALL.iter().map(|snippet| snippet.library).collect();
        assert_eq!(named, ours);
    }

    #[test]
    fn every_library_is_there_with_the_address_and_nothing_is_left_open() {
        let text = all("http://127.0.0.1:8080/");
        for snippet in &ALL {
            assert!(
                text.contains(&format!("\n  {} (", snippet.library)),
                "{}",
                snippet.library
            );
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
    }

    #[test]
    fn a_path_is_not_given_to_a_library_that_drops_it() {
        let text = all("http://127.0.0.1:8080/c/code");
        assert!(
            text.contains(r#"from_base("http://127.0.0.1:8080/c/code")"#),
            "{text}"
        );
        assert!(
            !text.contains("setCustomBotApiUri") && !text.contains("TelegramUrl"),
            "{text}"
        );
        assert_eq!(text.matches("drops the path").count(), 2);
    }
}
