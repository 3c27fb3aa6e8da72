package io.github.pgendpoints.alert;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import com.fasterxml.jackson.databind.node.TextNode;
import io.github.pgendpoints.alert.Alert.Kind;
import io.github.pgendpoints.alert.Alert.Phase;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Makes of an alert what the shipped sinks send. */
public final class AlertFormats {
  /** How long Alertmanager shows a thing of one moment. */
  private static final Duration SHOWN = Duration.ofMinutes(5);

  static final String TEMPLATE = "ALERT_WEBHOOK_TEMPLATE";

  private static final Pattern FIELD = Pattern.compile("\\$\\{([a-zA-Z]+(?:\\.[a-zA-Z]+)?)}");

  private final ObjectMapper json = new ObjectMapper();
  private final SinkSettings settings;
  private final Duration repeat;

  /**
   * @param repeat ALERT_REPEAT: a condition that is not told of again for twice as long is over
   */
  public AlertFormats(SinkSettings settings, Duration repeat) {
    this.settings = settings;
    this.repeat = repeat;
  }

  /**
   * The alert; or the JSON of ALERT_WEBHOOK_TEMPLATE with each {@code ${field}} in its texts
   * replaced by that field of the alert.
   *
   * @throws IllegalArgumentException when the template is no JSON
   */
  public JsonNode webhook(Alert alert) {
    JsonNode fields = json.valueToTree(alert);
    String template = settings.get(TEMPLATE, "");
    try {
      return template.isEmpty() ? fields : filled(json.readTree(template), fields);
    } catch (JsonProcessingException e) {
      // Not as its cause: what it says of the text may be a secret.
      throw new IllegalArgumentException(TEMPLATE + " is not JSON");
    }
  }

  private static JsonNode filled(JsonNode template, JsonNode fields) {
    if (template instanceof ObjectNode object) {
      object.properties().forEach(field -> field.setValue(filled(field.getValue(), fields)));
    } else if (template instanceof ArrayNode array) {
      for (int i = 0; i < array.size(); i++) {
        array.set(i, filled(array.get(i), fields));
      }
    } else if (template.isTextual()) {
      return TextNode.valueOf(
          FIELD
              .matcher(template.textValue())
              .replaceAll(
                  match ->
                      Matcher.quoteReplacement(
                          fields.at("/" + match.group(1).replace('.', '/')).asText(""))));
    }
    return template;
  }

  /** For an incoming webhook of Slack. */
  public Map<String, String> slack(Alert alert) {
    String sign =
        alert.phase() == Phase.OVER
            ? ":white_check_mark:"
            : switch (alert.severity()) {
              case INFO -> ":information_source:";
              case WARN -> ":warning:";
              case ERROR -> ":rotating_light:";
            };
    // What servers say must not become a mention of everybody, or a link.
    String message =
        alert.message().replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;");
    return Map.of(
        "text",
        "%s *%s* %s/%s: %s"
            .formatted(
                sign,
                alert.kind(),
                alert.cluster().namespace(),
                alert.cluster().readWrite(),
                message));
  }

  /** One line that tells in a list of mails what it is about. */
  public String mailSubject(Alert alert) {
    return "[%s] %s/%s: %s"
        .formatted(
            alert.phase() == Phase.OVER ? "OVER" : alert.severity(),
            alert.cluster().namespace(),
            alert.cluster().readWrite(),
            alert.phase() == Phase.OVER ? alert.ends() : alert.kind());
  }

  /** All of the alert, for people. */
  public String mail(Alert alert) {
    StringBuilder text = new StringBuilder(alert.message()).append("\n\n");
    line(text, "before", alert.before());
    line(text, "after", alert.after());
    for (Alert.Node node : alert.nodes()) {
      line(text, node.name(), (node.state() + " " + node.reason()).strip());
    }
    line(text, "since", String.valueOf(alert.since()));
    line(text, "key", alert.key());
    return text.toString();
  }

  private static void line(StringBuilder text, String name, String value) {
    if (value != null) {
      text.append(name).append(": ").append(value).append('\n');
    }
  }

  /**
   * For Alertmanager's API v2: what begins or lasts fires, what ends is resolved. It is the same
   * alert there as long as its labels are the same.
   */
  public List<Map<String, Object>> alertmanager(Alert alert) {
    List<Map<String, Object>> posts = new ArrayList<>();
    if (alert.ends() != null) {
      posts.add(post(alert, alert.ends(), null, alert.at()));
    }
    switch (alert.phase()) {
      case HAPPENED -> posts.add(post(alert, alert.kind(), alert.since(), alert.at().plus(SHOWN)));
      case BEGAN, LASTS -> {
        Instant unlessTold = alert.at().plus(repeat.multipliedBy(2));
        posts.add(post(alert, alert.kind(), alert.since(), unlessTold));
      }
      default -> {
        // Over: resolved above.
      }
    }
    return posts;
  }

  private static Map<String, Object> post(Alert alert, Kind kind, Instant starts, Instant ends) {
    Map<String, String> labels = new LinkedHashMap<>();
    labels.put("alertname", "Postgres" + kind);
    labels.put("namespace", alert.cluster().namespace());
    labels.put("service", alert.cluster().readWrite());
    switch (kind) {
      case MISMATCH, WRITTEN -> labels.put("service", alert.subject());
      case RULE -> labels.put("rule", alert.subject());
      default -> {
        if (!alert.subject().isEmpty()) {
          labels.put("node", alert.subject());
        }
      }
    }
    labels.put("severity", severity(kind, alert));
    Map<String, Object> post = new LinkedHashMap<>();
    post.put("labels", labels);
    post.put("annotations", Map.of("summary", alert.message()));
    if (starts != null) {
      post.put("startsAt", starts.toString());
    }
    post.put("endsAt", ends.toString());
    return post;
  }

  /** Of the kind, not of the alert: what ends a condition must have the labels that began it. */
  private static String severity(Kind kind, Alert alert) {
    return switch (kind) {
      case MISMATCH -> alert.subject().equals(alert.cluster().readWrite()) ? "critical" : "warning";
      case PRIMARY_CHANGED, TOPOLOGY_CHANGED, TOPOLOGY_VERIFIED, NODE_CHANGED, WRITTEN -> "info";
      case STANDBY_LOST,
          STANDBY_LEFT_OUT,
          NODE_DOWN,
          NODE_UNKNOWN,
          LEFT_BEHIND,
          PRIMARY_FULL,
          READ_ONLY_PRIMARY,
          NO_RECEIVER,
          LAG_GROWS,
          STANDBY_UNVERIFIED,
          PAUSED,
          DEGRADED ->
          "warning";
      default -> "critical";
    };
  }
}
