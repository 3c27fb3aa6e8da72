package io.github.pgendpoints.alert;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.LinkedHashSet;
import java.util.Map;
import java.util.Set;
import java.util.regex.Pattern;

/**
 * The environment variables of the sinks: {@code NAME}, or {@code NAME_FILE} with the name of a
 * file, such as a mounted Secret, which is read each time. A route reads a value only when it sends
 * an alert, so that no endpoint URI contains it: Hawtio shows those.
 */
public final class SinkSettings {
  /** The shipped sinks that ALERT_SINKS can enable: each name is that of its file. */
  public static final Set<String> SHIPPED =
      Set.of("alertmanager", "events", "mail", "slack", "webhook");

  private static final Set<String> SCHEMES = Set.of("http", "https");
  private static final Pattern PATH = Pattern.compile("(/|\\./|\\.\\./|~).*");
  private static final Set<String> TLS = Set.of("starttls", "tls", "off");

  private final Map<String, String> environment;

  public SinkSettings(Map<String, String> environment) {
    this.environment = Map.copyOf(environment);
  }

  /**
   * The value of a variable.
   *
   * @throws IllegalArgumentException if it is not set, or its file cannot be read
   */
  public String get(String name) {
    String value = get(name, "");
    if (value.isEmpty()) {
      throw new IllegalArgumentException(name + " is not set, nor is " + name + "_FILE");
    }
    return value;
  }

  /** The value of a variable, or {@code unset} if it is not set. */
  public String get(String name, String unset) {
    String file = environment.getOrDefault(name + "_FILE", "");
    String value = environment.getOrDefault(name, "");
    if (file.isEmpty()) {
      return value.isEmpty() ? unset : value;
    }
    // A user may set the secret itself instead of a file name: it must not get into a log.
    boolean path = PATH.matcher(file).matches();
    String text;
    try {
      text = Files.readString(Path.of(file)).strip();
    } catch (IOException | InvalidPathException e) {
      // Without the cause, whose message is the value.
      throw new IllegalArgumentException(
          path
              ? name + "_FILE='" + file + "' is not a readable file"
              : name + "_FILE is not the path of a readable file");
    }
    if (text.isEmpty()) {
      throw new IllegalArgumentException(
          name + "_FILE" + (path ? "='" + file + "'" : "") + " is empty");
    }
    return text;
  }

  /**
   * Checks that variables are set, and have a value that fits the end of their name: a URL; a PORT;
   * starttls, tls, or off for TLS; JSON for a TEMPLATE, and only fields of alerts in the webhook's;
   * a file of certificates for a ROOTCERT. A USER requires a PASSWORD.
   *
   * @param names separated by commas; a variable with a question mark is optional
   * @throws IllegalArgumentException with every fault, but without any value except file names
   */
  void check(String names) {
    // A set, since a password is checked for itself and for its user.
    Set<String> faults = new LinkedHashSet<>();
    for (String written : names.isBlank() ? new String[0] : names.strip().split("[, ]+")) {
      boolean optional = written.endsWith("?");
      String name = optional ? written.substring(0, written.length() - 1) : written;
      try {
        String value = optional ? get(name, "") : get(name);
        if (value.isEmpty()) {
          continue;
        }
        String fault = fault(name, value);
        if (fault != null) {
          faults.add(name + fault);
        } else if (name.endsWith("_ROOTCERT")) {
          MailSender.trusting(value);
        } else if (name.endsWith("_USER")) {
          get(name.substring(0, name.length() - "USER".length()) + "PASSWORD");
        }
      } catch (IllegalArgumentException e) {
        faults.add(e.getMessage());
      }
    }
    if (!faults.isEmpty()) {
      throw new IllegalArgumentException(String.join("; ", faults));
    }
  }

  private static String fault(String name, String value) {
    if (value.contains("REPLACE-ME")) {
      return " is a placeholder";
    }
    if (name.endsWith("URL") && faultOfUrl(value) != null) {
      return faultOfUrl(value);
    }
    if (name.endsWith("_PORT")
        && !(value.matches("[0-9]{1,5}") && isPort(Integer.parseInt(value)))) {
      return " is not a port, 1 to 65535";
    }
    if (name.endsWith("_TEMPLATE") && !isJson(value)) {
      return " is not JSON";
    }
    if (name.equals(AlertFormats.TEMPLATE) && !AlertFormats.unknownFieldsIn(value).isEmpty()) {
      return " has %s, which no alert has; allowed: ${field} with one of %s"
          .formatted(AlertFormats.unknownFieldsIn(value), AlertFormats.fields());
    }
    return name.endsWith("_TLS") && !TLS.contains(value) ? " is not starttls, tls or off" : null;
  }

  private static boolean isJson(String value) {
    try {
      return !new ObjectMapper()
          .enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS)
          .readTree(value)
          .isMissingNode();
    } catch (JsonProcessingException e) {
      return false;
    }
  }

  private static boolean isPort(int port) {
    return port >= 1 && port <= 65535;
  }

  private static String faultOfUrl(String text) {
    try {
      URI uri = URI.create(text);
      if (uri.getHost() == null || !SCHEMES.contains(String.valueOf(uri.getScheme()))) {
        return " is not a URL with http:// or https://";
      }
      if (uri.getRawUserInfo() != null) {
        return " has a user or password; allowed: http:// or https:// with host, port, and path";
      }
      return uri.getPort() == -1 || isPort(uri.getPort()) ? null : " has a port beyond 1 to 65535";
    } catch (IllegalArgumentException e) {
      return " is not a URL with http:// or https://";
    }
  }
}
