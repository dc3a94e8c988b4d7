// The contract of the Java program: settings, the loop over steps, one line per step.
//
// In: BASE, TOKEN, WRONG_TOKEN, CHAT and UPLOAD from the environment; names of steps on stdin,
// one a line (tests/it/clients/program.rs writes them). Out: one JSON line per step on stdout,
// what the library returned or what it threw; the library's own log goes to stderr.
// Invariant: a step begins only after its name was read, so whoever writes the names knows
// which request belongs to which step. End of stdin ends the program; so does a bug in it.

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.BufferedReader;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.util.HexFormat;
import java.util.Map;
import org.telegram.telegrambots.meta.exceptions.TelegramApiRequestException;

final class Steps {
    static final String BASE = System.getenv("BASE");
    static final String TOKEN = System.getenv("TOKEN");
    static final String WRONG_TOKEN = System.getenv("WRONG_TOKEN");
    static final String UPLOAD = System.getenv("UPLOAD");
    static final long CHAT = Long.parseLong(System.getenv("CHAT"));

    static final String TEXT = "Привет, <b>мир</b> & 🦀";
    static final String LONG_TEXT = "Съешь же ещё этих мягких булок. ".repeat(128);
    static final String EDITED = "edited & done";
    static final String CAPTION = "два мегабайта";
    static final String HOOK = "https://example.org/hook";
    /** What the empty poll and the polls of the loop wait for, in seconds. */
    static final int EMPTY_POLL = 1;
    static final int LOOP_POLL = 3;

    private static final ObjectMapper JSON = new ObjectMapper();

    /** One thing to do with the library. */
    interface Step {
        Object take() throws Exception;
    }

    private Steps() {}

    /** What a download is shown as. */
    static Map<String, Object> digest(InputStream content) throws Exception {
        byte[] bytes = content.readAllBytes();
        byte[] hash = MessageDigest.getInstance("SHA-256").digest(bytes);
        return Map.of("bytes", bytes.length, "sha256", HexFormat.of().formatHex(hash));
    }

    /** Takes the steps that stdin names, until it ends. */
    static void run(Map<String, Step> steps) throws Exception {
        PrintStream out = new PrintStream(System.out, true, StandardCharsets.UTF_8);
        BufferedReader names = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
        for (String name = names.readLine(); name != null; name = names.readLine()) {
            ObjectNode line = JSON.createObjectNode().put("step", name);
            try {
                line.set("returned", JSON.valueToTree(steps.get(name).take()));
            } catch (Exception error) {
                line.set("raised", raised(error));
            }
            out.println(line);
        }
        // Threads of the library's clients would hold the process.
        System.exit(0);
    }

    /** What is told of an error: its class, its text, and the fields that bots branch on. */
    private static ObjectNode raised(Exception error) {
        ObjectNode told = JSON.createObjectNode();
        told.put("class", error.getClass().getSimpleName()).put("text", String.valueOf(error.getMessage()));
        if (error instanceof TelegramApiRequestException request) {
            told.put("code", request.getErrorCode()).set("parameters", JSON.valueToTree(request.getParameters()));
        }
        if (error.getCause() != null) {
            told.put("cause", String.valueOf(error.getCause()));
        }
        return told;
    }
}
