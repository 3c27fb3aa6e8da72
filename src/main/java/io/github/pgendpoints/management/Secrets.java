package io.github.pgendpoints.management;

import java.io.IOException;
import java.net.URLEncoder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.jolokia.json.JSONArray;
import org.jolokia.json.JSONObject;
import org.jolokia.json.JSONStructure;

/**
 * What must not be shown to those who look at the program: the values of environment variables and
 * system properties whose names say so, and what stands in the files that such variables name.
 *
 * <p>The program itself hands no secret to anything that can be looked at. A route of a user can:
 * <code>{{env:TOKEN}}</code> in a URI is in the name of the endpoint, and in every dump.
 */
public final class Secrets {
  private static final Pattern NAME =
      Pattern.compile(
          "pass(word|wd|phrase)|secret|token|credential|api_?key|webhook|(^|_)url($|_)|dsn",
          Pattern.CASE_INSENSITIVE);

  /** Cannot be told from text that says nothing: too short, or a word. */
  private static final Pattern COMMON = Pattern.compile(".{0,7}|[A-Za-z]{0,15}|true|false");

  private static final String MASK = "xxxxxx";

  private final Map<String, String> environment;
  private final Map<?, ?> systemProperties;

  /**
   * @param environment as {@link System#getenv()}
   * @param systemProperties as {@link System#getProperties()}; looked at each time
   */
  public Secrets(Map<String, String> environment, Map<?, ?> systemProperties) {
    this.environment = environment;
    this.systemProperties = systemProperties;
  }

  /** A copy with {@code xxxxxx} in the place of each secret. */
  JSONStructure maskedIn(JSONStructure json) {
    List<String> secrets = all();
    return secrets.isEmpty() ? json : (JSONStructure) masked(json, secrets);
  }

  private List<String> all() {
    return Stream.concat(
            environment.entrySet().stream().flatMap(Secrets::values),
            systemProperties.entrySet().stream().flatMap(Secrets::values))
        .filter(value -> !COMMON.matcher(value).matches())
        .flatMap(Secrets::spellings)
        .distinct()
        // One may be a part of another.
        .sorted(Comparator.comparing(String::length).reversed())
        .toList();
  }

  private static Stream<String> values(Map.Entry<?, ?> variable) {
    String name = String.valueOf(variable.getKey());
    String value = String.valueOf(variable.getValue());
    if (!NAME.matcher(name).find() || name.startsWith("java.")) {
      return Stream.of();
    }
    if (!name.endsWith("_FILE")) {
      return Stream.of(value);
    }
    try {
      return Files.readString(Path.of(value)).strip().lines();
    } catch (IOException e) {
      return Stream.of();
    }
  }

  /** As it stands in text, in XML and in a URI. */
  private static Stream<String> spellings(String secret) {
    return Stream.of(
        secret,
        secret
            .replace("&", "&amp;")
            .replace("<", "&lt;")
            .replace(">", "&gt;")
            .replace("\"", "&quot;"),
        URLEncoder.encode(secret, StandardCharsets.UTF_8));
  }

  private static Object masked(Object json, List<String> secrets) {
    if (json instanceof Map<?, ?> map) {
      JSONObject copy = new JSONObject();
      map.forEach(
          (key, value) ->
              copy.put(masked(String.valueOf(key), secrets).toString(), masked(value, secrets)));
      return copy;
    }
    if (json instanceof List<?> list) {
      JSONArray copy = new JSONArray(list.size());
      list.forEach(value -> copy.add(masked(value, secrets)));
      return copy;
    }
    if (json instanceof String text) {
      String masked = text;
      for (String secret : secrets) {
        masked = masked.replace(secret, MASK);
      }
      return masked;
    }
    return json;
  }
}
