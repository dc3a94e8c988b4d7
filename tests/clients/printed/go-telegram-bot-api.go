// The printed recipe of go-telegram-bot-api, in the smallest bot that sends, polls, uploads and downloads.
//
// In: tests/it/clients/printed.rs puts the recipe in the place of the two lines in braces; TOKEN, CHAT, UPLOAD and, for
// the download that the note tells to GET, BASE from the environment. Out: one JSON line. Invariant: the library
// knows no address but the recipe's. A call that fails ends it with a panic.
package main

import (
	"encoding/json"
	"io"
	"net/http"
	"os"
	"strconv"
)

// {imports}

func main() {
	token := os.Getenv("TOKEN")
	chat, err := strconv.ParseInt(os.Getenv("CHAT"), 10, 64)
	check(err)
	// {recipe}
	check(err)
	_, err = bot.Send(tgbotapi.NewMessage(chat, "a word"))
	check(err)
	updates, err := bot.GetUpdates(tgbotapi.UpdateConfig{Timeout: 10})
	check(err)
	sent, err := bot.Send(tgbotapi.NewDocument(chat, tgbotapi.FilePath(os.Getenv("UPLOAD"))))
	check(err)
	file, err := bot.GetFile(tgbotapi.FileConfig{FileID: sent.Document.FileID})
	check(err)
	answer, err := http.Get(os.Getenv("BASE") + "/file/bot" + token + "/" + file.FilePath)
	check(err)
	bytes, err := io.Copy(io.Discard, answer.Body)
	check(err)
	told := map[string]any{"username": bot.Self.UserName, "updates": len(updates), "bytes": bytes}
	check(json.NewEncoder(os.Stdout).Encode(told))
}

func check(err error) {
	if err != nil {
		panic(err)
	}
}
