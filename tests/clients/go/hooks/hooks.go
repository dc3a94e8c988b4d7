// Package hooks is the contract of the Go programs with a webhook server: settings, and a line for each update that a handler got.
//
// In: BASE, TOKEN, PORT (to listen on), URL (the webhook's own address) and SECRET from the environment
// (tests/it/clients/server.rs writes them). Out: a JSON line with chat and text for each update, on stdout; the library's
// log goes to stderr. Invariant: a text that begins with `act` has the bot make a call, one with `answer` has it send
// a message the way the library does it from a webhook, any other has it do nothing. Ends when it is killed.
package hooks

import (
	"encoding/json"
	"net/url"
	"os"
)

// What each program is given.
var (
	Base   = os.Getenv("BASE")
	Token  = os.Getenv("TOKEN")
	URL    = os.Getenv("URL")
	Secret = os.Getenv("SECRET")
	Listen = "127.0.0.1:" + os.Getenv("PORT")
)

// Answer is what is sent.
const Answer = "ответ & <b>привет</b>"

// Path of the webhook.
func Path() string {
	own, err := url.Parse(URL)
	if err != nil {
		panic(err)
	}
	return own.Path
}

// Tell of an update.
func Tell(chat int64, text string) {
	if err := json.NewEncoder(os.Stdout).Encode(map[string]any{"chat": chat, "text": text}); err != nil {
		panic(err)
	}
}
