package io.github.pgendpoints.management;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import org.jolokia.json.JSONArray;
import org.jolokia.json.JSONObject;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class SecretsTest {
  private static final String SECRET = "a&b \"4711\" <c>";

  @ParameterizedTest
  @ValueSource(
      strings = {
        "PGPASSWORD",
        "ALERT_SLACK_URL",
        "MY_TOKEN",
        "my.secret",
        "smtp.passphrase",
        "WEBHOOK",
        "API_KEY",
        "javax.net.ssl.trustStorePassword"
      })
  void masksWhatANameSaysIsSecret(String name) {
    assertEquals(
        "before xxxxxx after", masked(Map.of(name, SECRET), "before " + SECRET + " after"));
  }

  @ParameterizedTest
  @ValueSource(strings = {"RW_SERVICE", "PG_NODES", "java.vendor.url.bug", "CURLING", "KEYBOARD"})
  void leavesTheRest(String name) {
    assertEquals(SECRET, masked(Map.of(name, SECRET), SECRET));
  }

  /** Or nothing could be read any more, and what is missing would tell the secret. */
  @ParameterizedTest
  @ValueSource(strings = {"", "short", "postgres", "true"})
  void leavesWhatCannotBeToldFromText(String value) {
    assertEquals("a postgres is true", masked(Map.of("PGPASSWORD", value), "a postgres is true"));
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "a&b \"4711\" <c>",
        "a&amp;b &quot;4711&quot; &lt;c&gt;",
        "a%26b+%224711%22+%3Cc%3E",
      })
  void masksEverySpelling(String spelling) {
    assertEquals("xxxxxx", masked(Map.of("MY_TOKEN", SECRET), spelling));
  }

  @Test
  void masksTheWholeOfASecretThatHoldsAnother() {
    assertEquals(
        "xxxxxx xxxxxx",
        masked(
            Map.of("MY_TOKEN", "part-0815", "MY_URL", "http://part-0815/"),
            "http://part-0815/ part-0815"));
  }

  @Test
  void masksWhatAFileHoldsNow(@TempDir Path folder) throws IOException {
    Path file = Files.writeString(folder.resolve("file"), "first-4711\n");
    Map<String, String> environment = Map.of("PGPASSWORD_FILE", file.toString());
    assertEquals("xxxxxx", masked(environment, "first-4711"));

    Files.writeString(file, "second-4711\n");
    assertEquals("xxxxxx", masked(environment, "second-4711"));

    Files.delete(file);
    assertEquals("second-4711", masked(environment, "second-4711"));
  }

  @Test
  void masksKeysAndWhatIsNested() {
    JSONObject inner = new JSONObject();
    inner.put("name=" + SECRET, 1L);
    inner.put("none", null);
    JSONArray list = new JSONArray(2);
    list.add(inner);
    list.add(true);
    JSONObject outer = new JSONObject();
    outer.put("list", list);

    assertEquals(
        "{\"list\":[{\"name=xxxxxx\":1,\"none\":null},true]}",
        new Secrets(Map.of(), Map.of("a.token", SECRET)).maskedIn(outer).toJSONString());
  }

  private static Object masked(Map<String, String> environment, String text) {
    JSONArray list = new JSONArray(1);
    list.add(text);
    return ((JSONArray) new Secrets(environment, Map.of()).maskedIn(list)).get(0);
  }
}
