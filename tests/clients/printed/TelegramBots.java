// The printed recipe of TelegramBots, in the smallest bot that sends, polls, uploads and downloads.
//
// In: tests/it/clients/printed.rs puts the recipe in the place of the two lines in braces; TOKEN, CHAT, UPLOAD and, for
// the download that the note tells to GET, BASE from the environment. Out: one JSON line. Invariant: the library
// knows no address but the recipe's. A call that fails ends it with a stack.

import java.io.File;
import java.util.concurrent.CountDownLatch;
import okhttp3.OkHttpClient;
import okhttp3.Request;
import okhttp3.Response;
import org.telegram.telegrambots.longpolling.interfaces.LongPollingUpdateConsumer;
import org.telegram.telegrambots.meta.api.methods.GetFile;
import org.telegram.telegrambots.meta.api.methods.GetMe;
import org.telegram.telegrambots.meta.api.methods.send.SendDocument;
import org.telegram.telegrambots.meta.api.methods.send.SendMessage;
import org.telegram.telegrambots.meta.api.objects.InputFile;
// {imports}

public final class Printed {
    public static void main(String[] arguments) throws Exception {
        String token = System.getenv("TOKEN");
        String chat = System.getenv("CHAT");
        CountDownLatch three = new CountDownLatch(3);
        LongPollingUpdateConsumer consumer = updates -> updates.forEach(update -> three.countDown());
        TelegramBotsLongPollingApplication application = new TelegramBotsLongPollingApplication();
        // {recipe}
        String username = client.execute(new GetMe()).getUserName();
        client.execute(new SendMessage(chat, "a word"));
        three.await();
        InputFile upload = new InputFile(new File(System.getenv("UPLOAD")));
        String file = client.execute(new SendDocument(chat, upload)).getDocument().getFileId();
        String path = client.execute(new GetFile(file)).getFilePath();
        Request request = new Request.Builder().url(System.getenv("BASE") + "/file/bot" + token + "/" + path).build();
        long bytes;
        try (Response answer = new OkHttpClient().newCall(request).execute()) {
            bytes = answer.body().bytes().length;
        }
        System.out.printf("{\"username\":\"%s\",\"updates\":3,\"bytes\":%d}%n", username, bytes);
        System.exit(0);
    }
}
