//! Paths, tokens, hosts and verbs, as bots send them and as nobody should.
//!
//! In: the engine of `malformed.rs`. Out: pass or fail. Invariant: 404 of Gramtap's own only for
//! what Telegram answers 404 or 401; every other target reaches Telegram as it was sent.

use super::row::*;
use super::*;

fn get(name: &'static str, target: &str) -> Row {
    Row::new(name, format!("GET {target} HTTP/1.1|Host: x|{{A}}||"))
}

#[tokio::test]
async fn paths_and_tokens() {
    play(vec![
        get("plain", "/bot{T}/getMe").works(),
        get("unknown method", "/bot{T}/getWhat")
            .same(NO_METHOD)
            .reaches(&["GET /botT/getWhat"])
            .told("getWhat 404 telegram"),
        get("method in an argument", "/bot{T}/?method=getMe")
            .same(GIVES_ME)
            .reaches(&["GET /botT/?method=getMe"])
            .told("getMe 200 telegram"),
        get("method in capitals", "/bot{T}/GETME")
            .same(GIVES_ME)
            .reaches(&["GET /botT/GETME"])
            .told("getMe 200 telegram"),
        get("escaped colon and slash", "/bot7000000123%3aAAcanary-of-the-bots-own-token_0001%2FgetMe")
            .same(GIVES_ME)
            .reaches(&["GET /bot7000000123%3aAAcanary-of-the-bots-own-token_0001%2FgetMe"])
            .told("getMe 200 telegram"),
        get("escaped letters", "/%62%6ft{T}/get%4de")
            .same(GIVES_ME)
            .reaches(&["GET /%62%6ftT/get%4de"])
            .told("getMe 200 telegram"),
        get("escaped twice", "/bot7000000123%253AAAcanary-of-the-bots-own-token_0001/getMe")
            .unknown("token_malformed")
            .told("getMe 404 gramtap token_malformed unattributed"),
        get("no token", "/bot/getMe").unknown("token_malformed"),
        get("no colon", "/botnonsense/getMe").unknown("token_malformed"),
        get("no secret", "/bot7000000123:/getMe")
            .same(NOT_FOUND)
            .reaches(&["GET /bot7000000123:/getMe"])
            .told("getMe 404 telegram"),
        get("a wrong secret", "/bot7000000123:AAcanary-of-a-wrong-secret/getMe")
            .same("401 Unauthorized [telegram] error: Unauthorized | open")
            .reaches(&["GET /bot7000000123:AAcanary-of-a-wrong-secret/getMe"])
            .told("getMe 401 telegram"),
        get("a zero before the id", "/bot07000000123:AAcanary-of-the-bots-own-token_0001/getMe")
            .unknown("token_malformed"),
        get("a token of 81", "/bot{T}{T}/getMe")
            .same(NOT_FOUND)
            .reaches(&["GET /botTT/getMe"])
            .told("getMe 404 telegram"),
        get("a token with NUL", "/bot{T}%00/getMe")
            .same(NOT_FOUND)
            .reaches(&["GET /botT%00/getMe"])
            .told("getMe 404 telegram"),
        get("a token with a line end", "/bot{T}%0d%0aX:y/getMe")
            .same(NOT_FOUND)
            .reaches(&["GET /botT%0d%0aX:y/getMe"])
            .told("getMe 404 telegram"),
        get("a token with a slash", "/bot7000000123:AA/getMe")
            .same("401 Unauthorized [telegram] error: Unauthorized | open")
            .reaches(&["GET /bot7000000123:AA/getMe"])
            .told("getMe 401 telegram"),
        get("a bot that is not connected", "/bot7000000999:AAcanary-of-a-stranger-token_00001/getMe")
            .differs("401 Unauthorized [telegram] error: Unauthorized | open", "404 Not Found [gramtap bot_unknown] error: Not Found: bot 7000000999 is not connected to this Gramtap | open", why::NOBODYS)
            .told("getMe 404 gramtap bot_unknown unattributed"),
        get("a code that is none", "/c/nonsense/bot{T}/getMe")
            .differs(NOT_FOUND, NO_CODE, why::NOBODYS),
        get("a code that nobody has", "/c/aaaaaaaaaaaaaaaaaaaaaaaaaa/bot{T}/getMe")
            .differs(NOT_FOUND, NO_CODE, why::NOBODYS)
            .told("getMe 404 gramtap code_unknown unattributed"),
        get("root", "/").unknown("path_unknown"),
        get("another path", "/nothing").unknown("path_unknown"),
        get("no method", "/bot{T}").unknown("path_unknown"),
        get("a slash for a method", "/bot{T}//getMe")
            .same(NO_METHOD)
            .reaches(&["GET /botT//getMe"])
            .told("/getMe 404 telegram"),
        get("a slash behind the method", "/bot{T}/getMe/")
            .same(NO_METHOD)
            .reaches(&["GET /botT/getMe/"])
            .told("getMe/ 404 telegram"),
        get("two slashes first", "//bot{T}/getMe").unknown("path_unknown"),
        get("a capital B", "/Bot{T}/getMe").unknown("path_unknown"),
        get("dots to the root", "/bot{T}/../bot{T}/getMe")
            .same(NO_METHOD)
            .reaches(&["GET /botT/../botT/getMe"])
            .told("../bot7000000123 404 telegram"),
        get("escaped dots", "/bot{T}/%2e%2e/%2e%2e/getMe")
            .same(NO_METHOD)
            .reaches(&["GET /botT/%2e%2e/%2e%2e/getMe"])
            .told("../../getMe 404 telegram"),
        get("dots before the bot", "/./bot{T}/getMe").unknown("path_unknown"),
        get("a backslash", "/bot{T}\\getMe").unknown("path_unknown"),
        get("file, dots", "/file/bot{T}/../../etc/passwd")
            .same(NOT_FOUND)
            .reaches(&["GET /file/botT/../../etc/passwd"])
            .told("file 404 telegram"),
        get("file, escaped dots", "/file/bot{T}/%2e%2e/%2e%2e%2fetc/passwd%00")
            .same(NOT_FOUND)
            .reaches(&["GET /file/botT/%2e%2e/%2e%2e%2fetc/passwd%00"])
            .told("file 404 telegram"),
        get("file, absolute", "/file/bot{T}//etc/passwd")
            .same(NOT_FOUND)
            .reaches(&["GET /file/botT//etc/passwd"])
            .told("file 404 telegram"),
        get("NUL in the method", "/bot{T}/getMe%00")
            .same(NO_METHOD)
            .reaches(&["GET /botT/getMe%00"])
            .told("getMe 404 telegram"),
        get("a line end in the method", "/bot{T}/getMe%20HTTP/1.1%0d%0aX:%20y")
            .same(NO_METHOD)
            .reaches(&["GET /botT/getMe%20HTTP/1.1%0d%0aX:%20y"])
            .told("getMe 404 telegram"),
        get("NUL and line ends in the query", "/bot{T}/getChat?chat_id=7&x=%00%0d%0aGET%20/bot{T}/deleteWebhook%20HTTP/1.1%0d%0a%0d%0a")
            .same(GIVES_CHAT)
            .reaches(&["GET /botT/getChat?chat_id=7&x=%00%0d%0aGET%20/botT/deleteWebhook%20HTTP/1.1%0d%0a%0d%0a"])
            .told("getChat 200 telegram"),
        get("a lone percent sign", "/bot{T}/getChat?chat_id=7&x=%&y=%zz")
            .same(GIVES_CHAT)
            .reaches(&["GET /botT/getChat?chat_id=7&x=%&y=%zz"])
            .told("getChat 200 telegram"),
        get("a fragment", "/bot{T}/getMe#fragment").works(),
        get("signs that belong escaped", "/bot{T}/getChat?chat_id=7&x={\"a\":[1]}^`")
            .differs(GIVES_CHAT, REFUSED, why::URI),
        get("letters that belong escaped", "/bot{T}/getChat?chat_id=7&x=привет")
            .differs(GIVES_CHAT, REFUSED, why::URI),
        get("letters that belong escaped, in the path", "/bot{T}/привет")
            .differs(NO_METHOD, REFUSED, why::URI),
        get("a target of 60 KB", &format!("/bot{{T}}/getChat?chat_id=7&x={}", "{K}".repeat(60)))
            .same(GIVES_CHAT)
            .reaches(&["GET /botT/getChat?chat_id=7&x=60K"])
            .told("getChat 200 telegram"),
        get("a target of 100 KB", &format!("/bot{{T}}/getChat?chat_id=7&x={}", "{K}".repeat(100)))
            .differs(GIVES_CHAT, REFUSED, why::LIMITS),
        get("an asterisk", "*")
            .differs(ABSOLUTE, "404 Not Found [gramtap path_unknown] error: Not Found | open", why::OWN_404),
        get("a whole URL", "http://x/bot{T}/getMe").differs(ABSOLUTE, OWN_ABSOLUTE, why::OWN_404),
        get("a whole URL of another host", "http://y/bot{T}/getMe")
            .differs(ABSOLUTE, OWN_ABSOLUTE, why::OWN_404),
        get("no slash", "bot{T}/getMe").differs(ABSOLUTE, REFUSED, why::ACTIX),
        get("a host for a target", "x:80").differs(ABSOLUTE, OWN_ABSOLUTE, why::OWN_404),
    ])
    .await;
}

fn verb(name: &'static str, verb: &str) -> Row {
    Row::new(
        name,
        format!("{verb} /bot{{T}}/getMe HTTP/1.1|Host: x|{{A}}||"),
    )
}

fn host(name: &'static str, hosts: &str) -> Row {
    Row::new(name, format!("GET /bot{{T}}/getMe HTTP/1.1|{hosts}{{A}}||"))
}

#[tokio::test]
async fn verbs_and_hosts() {
    let head = |name, target: &str| {
        Row::new(name, format!("HEAD {target} HTTP/1.1|Host: x|{{A}}||")).then(Then::AsksAfterHead)
    };
    play(vec![
        head("HEAD", "/bot{T}/getMe")
            .differs("501 Not Implemented [telegram length=0] | closed", "501 Not Implemented [telegram length=0] | open", why::CONNECTIONS)
            .reaches(&["HEAD /botT/getMe (not taken)"])
            .told("getMe 501 edge empty"),
        head("HEAD, a file", "/file/bot{T}/nothing.txt")
            .same("404 Not Found [telegram json length=55] | open")
            .reaches(&["HEAD /file/botT/nothing.txt"])
            .told("file 404 edge empty"),
        head("HEAD, a path of nobody", "/nothing")
            .differs("501 Not Implemented [telegram length=0] | closed", "404 Not Found [gramtap-error=path_unknown json length=55] | open", why::OWN_404),
        verb("PUT", "PUT").no_verb(&["PUT /botT/getMe (not taken)"]),
        verb("DELETE", "DELETE").no_verb(&["DELETE /botT/getMe (not taken)"]),
        verb("OPTIONS", "OPTIONS").no_verb(&["OPTIONS /botT/getMe (not taken)"]),
        verb("TRACE", "TRACE").no_verb(&["TRACE /botT/getMe (not taken)"]),
        verb("PRI", "PRI").no_verb(&["PRI /botT/getMe (not taken)"]),
        verb("small letters", "get").no_verb(&["get /botT/getMe (not taken)"]),
        verb("a verb with signs", "G@T").refused("400 Bad Request"),
        verb("a verb of one's own", "GETS").no_verb(&["GETS /botT/getMe (not taken)"]),
        Row::new("OPTIONS, asterisk", "OPTIONS * HTTP/1.1|Host: x|{A}||")
            .differs("501 Not Implemented [telegram length] | closed", "404 Not Found [gramtap path_unknown] error: Not Found | open", why::OWN_404),
        Row::new("CONNECT", "CONNECT x:80 HTTP/1.1|Host: x|{A}||")
            .differs("501 Not Implemented [telegram length] | closed", "404 Not Found [gramtap absolute_target] error: Not Found: absolute URI is specified in the Request-Line | closed", why::OWN_404),
        Row::new(
            "CONNECT, a path",
            "CONNECT /bot{T}/getMe HTTP/1.1|Host: x|{A}||",
        )
            .differs("501 Not Implemented [telegram length] | closed", "503 Service Unavailable [gramtap request] error: Service Unavailable: Telegram was not reached through Gramtap (request) | closed", why::NO_TUNNEL)
            .told("getMe 503 gramtap request"),
        host("no host", "").differs(GIVES_ME, REFUSED, why::HOSTS),
        host("two hosts", "Host: x|Host: y|").differs(GIVES_ME, REFUSED, why::HOSTS),
        host("one host twice", "Host: x|Host: x|").differs(GIVES_ME, REFUSED, why::HOSTS),
        host("an empty host", "Host:|").no_host(),
        host("a host with a space", "Host: a b|").no_host(),
        host("a host with a user", "Host: user@x|").no_host(),
        host("a host with a path", "Host: x/bot1:a|").no_host(),
        host("a host of nobody", "Host: 203.0.113.7:99|").works(),
        host(
            "a code's host of nobody",
            "Host: aaaaaaaaaaaaaaaaaaaaaaaaaa.gramtap.test|",
        )
            .differs(GIVES_ME, NO_CODE, why::NOBODYS)
            .told("getMe 404 gramtap code_unknown unattributed"),
        host("a host that names no code", "Host: nonsense.gramtap.test|")
            .differs(GIVES_ME, NO_CODE, why::NOBODYS),
    ])
    .await;
}
