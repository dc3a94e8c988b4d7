// TelegramBots, pointed at BASE by a TelegramUrl given both to its client and to its polling.
// Its File.getFileUrl names Telegram's own host, so the file's URL is built from BASE.
//
// In: Steps.java. Out: calls to BASE, lines to stdout. Invariant: the library as it is, every
// call through its public names. A call that fails is told as what the library threw.

import java.io.File;
import java.net.URI;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import okhttp3.OkHttpClient;
import okhttp3.Request;
import okhttp3.Response;
import org.telegram.telegrambots.client.okhttp.OkHttpTelegramClient;
import org.telegram.telegrambots.longpolling.TelegramBotsLongPollingApplication;
import org.telegram.telegrambots.longpolling.util.TelegramOkHttpClientFactory.DefaultOkHttpClientCreator;
import org.telegram.telegrambots.meta.TelegramUrl;
import org.telegram.telegrambots.meta.api.methods.GetFile;
import org.telegram.telegrambots.meta.api.methods.GetMe;
import org.telegram.telegrambots.meta.api.methods.botapimethods.BotApiMethodBoolean;
import org.telegram.telegrambots.meta.api.methods.send.SendDocument;
import org.telegram.telegrambots.meta.api.methods.send.SendMessage;
import org.telegram.telegrambots.meta.api.methods.updates.DeleteWebhook;
import org.telegram.telegrambots.meta.api.methods.updates.GetUpdates;
import org.telegram.telegrambots.meta.api.methods.updates.SetWebhook;
import org.telegram.telegrambots.meta.api.methods.updatingmessages.EditMessageText;
import org.telegram.telegrambots.meta.api.objects.InputFile;
import org.telegram.telegrambots.meta.api.objects.Update;
import org.telegram.telegrambots.meta.api.objects.message.Message;
import org.telegram.telegrambots.meta.api.objects.replykeyboard.InlineKeyboardMarkup;
import org.telegram.telegrambots.meta.api.objects.replykeyboard.buttons.InlineKeyboardButton;
import org.telegram.telegrambots.meta.api.objects.replykeyboard.buttons.InlineKeyboardRow;
import org.telegram.telegrambots.meta.generics.TelegramClient;

public final class TelegramBots {
    /** A method that the library does not know is a class of the user's. */
    static final class NoSuchMethod extends BotApiMethodBoolean {
        @Override
        public String getMethod() {
            return "noSuchMethod";
        }
    }

    private final TelegramUrl url = url();
    private final TelegramClient client = new OkHttpTelegramClient(Steps.TOKEN, url);
    private final ScheduledExecutorService executor = Executors.newSingleThreadScheduledExecutor();
    private final TelegramBotsLongPollingApplication application = new TelegramBotsLongPollingApplication(
            com.fasterxml.jackson.databind.ObjectMapper::new, new DefaultOkHttpClientCreator(), () -> executor);
    private int offset;
    private int message;
    private String file;

    private static TelegramUrl url() {
        URI base = URI.create(Steps.BASE);
        return TelegramUrl.builder().schema(base.getScheme()).host(base.getHost()).port(base.getPort()).build();
    }

    public static void main(String[] arguments) throws Exception {
        TelegramBots bot = new TelegramBots();
        Map<String, Steps.Step> steps = new HashMap<>();
        steps.put("get_me", () -> bot.client.execute(new GetMe()));
        steps.put("get_me_wrong_token", () -> new OkHttpTelegramClient(Steps.WRONG_TOKEN, bot.url).execute(new GetMe()));
        steps.put("poll", bot::poll);
        steps.put("poll_empty", bot::pollEmpty);
        steps.put("send", bot::send);
        steps.put("send_long", () -> bot.client.execute(new SendMessage(String.valueOf(Steps.CHAT), Steps.LONG_TEXT)));
        steps.put("send_nowhere", () -> bot.client.execute(new SendMessage("404", Steps.EDITED)));
        steps.put("edit", bot::edit);
        steps.put("upload", bot::upload);
        steps.put("download", bot::download);
        steps.put("unknown_method", () -> bot.client.execute(new NoSuchMethod()));
        steps.put("set_webhook", () -> bot.client.execute(SetWebhook.builder().url(Steps.HOOK).secretToken("s3cret").build()));
        steps.put("delete_webhook", () -> bot.client.execute(new DeleteWebhook()));
        steps.put("start_loop", bot::startLoop);
        steps.put("stop_loop", bot::stopLoop);
        Steps.run(steps);
    }

    private Object poll() throws Exception {
        List<Update> updates = client.execute(GetUpdates.builder().timeout(10).build());
        offset = updates.get(updates.size() - 1).getUpdateId() + 1;
        return updates;
    }

    private Object pollEmpty() throws Exception {
        return client.execute(GetUpdates.builder().offset(offset).timeout(Steps.EMPTY_POLL).build());
    }

    private Object send() throws Exception {
        InlineKeyboardButton button = InlineKeyboardButton.builder().text("Да").callbackData("yes").build();
        InlineKeyboardMarkup keyboard = InlineKeyboardMarkup.builder().keyboardRow(new InlineKeyboardRow(button)).build();
        Message sent = client.execute(SendMessage.builder()
                .chatId(Steps.CHAT).text(Steps.TEXT).parseMode("HTML").replyMarkup(keyboard).build());
        message = sent.getMessageId();
        return sent;
    }

    private Object edit() throws Exception {
        return client.execute(EditMessageText.builder()
                .chatId(Steps.CHAT).messageId(message).text(Steps.EDITED).build());
    }

    private Object upload() throws Exception {
        Message sent = client.execute(SendDocument.builder()
                .chatId(Steps.CHAT).document(new InputFile(new File(Steps.UPLOAD))).caption(Steps.CAPTION).build());
        file = sent.getDocument().getFileId();
        return sent;
    }

    private Object download() throws Exception {
        String path = client.execute(new GetFile(file)).getFilePath();
        Request request = new Request.Builder().url(Steps.BASE + "/file/bot" + Steps.TOKEN + "/" + path).build();
        try (Response answer = new OkHttpClient().newCall(request).execute()) {
            return Steps.digest(answer.body().byteStream());
        }
    }

    private Object startLoop() throws Exception {
        BlockingQueue<Update> received = new ArrayBlockingQueue<>(3);
        application.registerBot(Steps.TOKEN, () -> url,
                last -> GetUpdates.builder().limit(100).timeout(Steps.LOOP_POLL).offset(last + 1).build(),
                updates -> received.addAll(updates));
        List<Update> updates = new ArrayList<>();
        while (updates.size() < 3) {
            updates.add(received.take());
        }
        return updates;
    }

    private Object stopLoop() throws Exception {
        application.unregisterBot(Steps.TOKEN);
        // The poll in flight ends by itself.
        executor.shutdown();
        return executor.awaitTermination(30, TimeUnit.SECONDS);
    }
}
