// Command tgbotapi-hook serves go-telegram-bot-api; what it sends travels in the webhook's answer, urlencoded.
//
// In: package hooks. Out: lines to stdout, calls to BASE. Invariant: the library as it is, served as its guide
// says. It knows no secret.
package main

import (
	"net/http"
	"strings"

	tgbotapi "github.com/go-telegram-bot-api/telegram-bot-api/v5"

	"gramtap/tests/clients/hooks"
)

func main() {
	bot, err := tgbotapi.NewBotAPIWithAPIEndpoint(hooks.Token, hooks.Base+"/bot%s/%s")
	check(err)
	hook, err := tgbotapi.NewWebhook(hooks.URL)
	check(err)
	_, err = bot.Request(hook)
	check(err)
	http.HandleFunc(hooks.Path(), func(writer http.ResponseWriter, request *http.Request) {
		update, err := bot.HandleUpdate(request)
		check(err)
		chat, text := update.Message.Chat.ID, update.Message.Text
		hooks.Tell(chat, text)
		switch {
		case strings.HasPrefix(text, "act"):
			_, err = bot.Request(tgbotapi.NewChatAction(chat, tgbotapi.ChatTyping))
		case strings.HasPrefix(text, "answer"):
			err = tgbotapi.WriteToHTTPResponse(writer, tgbotapi.NewMessage(chat, hooks.Answer))
		}
		check(err)
	})
	check(http.ListenAndServe(hooks.Listen, nil))
}

func check(err error) {
	if err != nil {
		panic(err)
	}
}
