// The printed recipe of telebot, in the smallest bot that sends, polls, uploads and downloads.
//
// In: tests/it/clients/printed.rs puts the recipe in the place of the two lines in braces; TOKEN, CHAT and UPLOAD from
// the environment. Out: one JSON line. Invariant: nothing here knows an address. A call that fails ends it with a panic.
package main

import (
	"encoding/json"
	"io"
	"os"
	"strconv"
)

// {imports}

func main() {
	token := os.Getenv("TOKEN")
	number, err := strconv.ParseInt(os.Getenv("CHAT"), 10, 64)
	check(err)
	chat := tele.ChatID(number)
	// {recipe}
	check(err)
	_, err = bot.Send(chat, "a word")
	check(err)
	received := make(chan struct{}, 3)
	count := func(tele.Context) error {
		received <- struct{}{}
		return nil
	}
	bot.Handle(tele.OnText, count)
	bot.Handle(tele.OnCallback, count)
	go bot.Start()
	for i := 0; i < 3; i++ {
		<-received
	}
	document := &tele.Document{File: tele.FromDisk(os.Getenv("UPLOAD")), FileName: "upload.bin"}
	sent, err := bot.Send(chat, document)
	check(err)
	content, err := bot.File(&sent.Document.File)
	check(err)
	bytes, err := io.Copy(io.Discard, content)
	check(err)
	told := map[string]any{"username": bot.Me.Username, "updates": 3, "bytes": bytes}
	check(json.NewEncoder(os.Stdout).Encode(told))
}

func check(err error) {
	if err != nil {
		panic(err)
	}
}
