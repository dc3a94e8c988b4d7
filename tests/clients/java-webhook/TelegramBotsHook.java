// TelegramBots' own webhook server; what a handler returns travels in the webhook's answer. It knows no secret.
//
// In: BASE, TOKEN, PORT (to listen on) and URL (the webhook's own address) from the environment (tests/it/clients/server.rs
// writes them). Out: a JSON line with chat and text for each update, on stdout; calls to BASE; the library's log goes to
// stderr. Invariant: the library as it is, served as its guide says; a text that begins with `act` has the bot make a call, one
// with `answer` has it send a message, any other has it do nothing. Ends when it is killed.

import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.PrintStream;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.util.Map;
import java.util.concurrent.Callable;
import org.telegram.telegrambots.client.okhttp.OkHttpTelegramClient;
import org.telegram.telegrambots.meta.TelegramUrl;
import org.telegram.telegrambots.meta.api.methods.botapimethods.BotApiMethod;
import org.telegram.telegrambots.meta.api.methods.send.SendChatAction;
import org.telegram.telegrambots.meta.api.methods.send.SendMessage;
import org.telegram.telegrambots.meta.api.methods.updates.SetWebhook;
import org.telegram.telegrambots.meta.api.objects.Update;
import org.telegram.telegrambots.meta.generics.TelegramClient;
import org.telegram.telegrambots.webhook.TelegramBotsWebhookApplication;
import org.telegram.telegrambots.webhook.WebhookOptions;

public final class TelegramBotsHook {
    private static final String ANSWER = "ответ & <b>привет</b>";
    private static final String URL = System.getenv("URL");
    private static final ObjectMapper JSON = new ObjectMapper();
    private static final PrintStream OUT = new PrintStream(System.out, true, StandardCharsets.UTF_8);

    private final TelegramClient client = client();

    public static void main(String[] arguments) throws Exception {
        TelegramBotsHook bot = new TelegramBotsHook();
        int port = Integer.parseInt(System.getenv("PORT"));
        TelegramBotsWebhookApplication server =
                new TelegramBotsWebhookApplication(WebhookOptions.builder().port(port).build());
        server.registerBot(URI.create(URL).getPath(), bot::consume, bot::setWebhook, null);
    }

    private static TelegramClient client() {
        URI base = URI.create(System.getenv("BASE"));
        TelegramUrl url = TelegramUrl.builder()
                .schema(base.getScheme()).host(base.getHost()).port(base.getPort()).build();
        return new OkHttpTelegramClient(System.getenv("TOKEN"), url);
    }

    private void setWebhook() {
        call(() -> client.execute(SetWebhook.builder().url(URL).build()));
    }

    private BotApiMethod<?> consume(Update update) {
        String text = update.getMessage().getText();
        Long chat = update.getMessage().getChatId();
        OUT.println(call(() -> JSON.writeValueAsString(Map.of("chat", chat, "text", text))));
        if (text.startsWith("act")) {
            call(() -> client.execute(SendChatAction.builder().chatId(chat).action("typing").build()));
        }
        return text.startsWith("answer") ? SendMessage.builder().chatId(chat).text(ANSWER).build() : null;
    }

    private static <T> T call(Callable<T> step) {
        try {
            return step.call();
        } catch (Exception error) {
            throw new IllegalStateException(error);
        }
    }
}
