// Command telebot-hook serves tucnak's telebot by its webhook poller, which sets the webhook by itself.
//
// In: package hooks. Out: lines to stdout, calls to BASE. Invariant: the library as it is, served as its guide
// says, but one update after the other, so that they are handled in the order in which they come.
package main

import (
	"strings"

	"gopkg.in/telebot.v4"

	"gramtap/tests/clients/hooks"
)

func main() {
	bot, err := telebot.NewBot(telebot.Settings{
		URL:         hooks.Base,
		Token:       hooks.Token,
		Synchronous: true,
		Poller: &telebot.Webhook{
			Listen:      hooks.Listen,
			SecretToken: hooks.Secret,
			Endpoint:    &telebot.WebhookEndpoint{PublicURL: hooks.URL},
		},
	})
	if err != nil {
		panic(err)
	}
	bot.Handle(telebot.OnText, func(context telebot.Context) error {
		hooks.Tell(context.Chat().ID, context.Text())
		switch {
		case strings.HasPrefix(context.Text(), "act"):
			return context.Notify(telebot.Typing)
		case strings.HasPrefix(context.Text(), "answer"):
			return context.Send(hooks.Answer)
		}
		return nil
	})
	bot.Start()
}
