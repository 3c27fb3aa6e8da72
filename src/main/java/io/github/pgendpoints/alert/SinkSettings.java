package io.github.pgendpoints.alert;

import java.io.IOException;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * The environment variables that sinks take: {@code NAME}, or {@code NAME_FILE} with the name of a
 * file, such as a mounted Secret, that is read each time. They reach a route as late as that, so
 * that none stands in the URI of an endpoint, which anybody may look at.
 */
public final class SinkSettings {
  private static final Set<String> SCHEMES = Set.of("http", "https");

  private final Map<String, String> environment;

  public SinkSettings(Map<String, String> environment) {
    this.environment = Map.copyOf(environment);
  }

  /**
   * The value of a variable.
   *
   * @throws IllegalArgumentException when it is not set, or its file cannot be read
   */
  public String get(String name) {
    String value = get(name, "");
    if (value.isEmpty()) {
      throw new IllegalArgumentException(name + " is not set, nor is " + name + "_FILE");
    }
    return value;
  }

  /** The value of a variable, or another where it is not set. */
  public String get(String name, String unset) {
    String file = environment.getOrDefault(name + "_FILE", "");
    String value = environment.getOrDefault(name, "");
    if (file.isEmpty()) {
      return value.isEmpty() ? unset : value;
    }
    try {
      String text = Files.readString(Path.of(file)).strip();
      if (text.isEmpty()) {
        throw new IllegalArgumentException(name + "_FILE='" + file + "' is empty");
      }
      return text;
    } catch (IOException e) {
      throw new IllegalArgumentException(name + "_FILE='" + file + "' is not a readable file", e);
    }
  }

  /**
   * Checks that variables are set, and that those whose name ends with URL hold one.
   *
   * @param names with commas between
   * @throws IllegalArgumentException with every fault; never with a value
   */
  void check(String names) {
    List<String> faults = new ArrayList<>();
    for (String name : names.isBlank() ? new String[0] : names.strip().split("[, ]+")) {
      try {
        String value = get(name);
        if (name.endsWith("URL") && !isUrl(value)) {
          faults.add(name + " is not a URL with http:// or https://");
        }
      } catch (IllegalArgumentException e) {
        faults.add(e.getMessage());
      }
    }
    if (!faults.isEmpty()) {
      throw new IllegalArgumentException(String.join("; ", faults));
    }
  }

  private static boolean isUrl(String text) {
    try {
      URI uri = URI.create(text);
      return uri.getHost() != null && SCHEMES.contains(String.valueOf(uri.getScheme()));
    } catch (IllegalArgumentException e) {
      return false;
    }
  }
}
