package io.github.pgendpoints.alert;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import com.fasterxml.jackson.databind.node.TextNode;
import io.github.pgendpoints.alert.Alert.Kind;
import io.github.pgendpoints.alert.Alert.Phase;
import java.lang.reflect.RecordComponent;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.MatchResult;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/** Converts an alert to what the shipped sinks send. */
public final class AlertFormats {
  /** How long Alertmanager shows an event. */
  private static final Duration SHOWN = Duration.ofMinutes(5);

  static final String TEMPLATE = "ALERT_WEBHOOK_TEMPLATE";

  private static final Pattern FIELD = Pattern.compile("\\$\\{([\\w.-]{1,40})}");

  /** The fields that a template may name: all but lists. */
  private static final List<String> NAMES = names("", Alert.class).sorted().toList();

  private final ObjectMapper json = new ObjectMapper();
  private final SinkSettings settings;
  private final Duration repeat;

  /**
   * @param repeat ALERT_REPEAT: Alertmanager ends a condition after twice this time without alerts
   */
  public AlertFormats(SinkSettings settings, Duration repeat) {
    this.settings = settings;
    this.repeat = repeat;
  }

  /**
   * Returns the alert, or else the JSON of ALERT_WEBHOOK_TEMPLATE, in whose texts that field of the
   * alert replaces each {@code ${field}}.
   *
   * @throws IllegalArgumentException if the template is not JSON
   */
  public JsonNode webhook(Alert alert) {
    JsonNode fields = json.valueToTree(alert);
    String template = settings.get(TEMPLATE, "");
    try {
      return template.isEmpty() ? fields : filled(json.readTree(template), fields);
    } catch (JsonProcessingException e) {
      // Without the cause: its message quotes the template, which may contain a secret.
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

  /** Returns the body for an incoming webhook of Slack. */
  public Map<String, String> slack(Alert alert) {
    String sign =
        alert.phase() == Phase.OVER
            ? ":white_check_mark:"
            : switch (alert.severity()) {
              case INFO -> ":information_source:";
              case WARN -> ":warning:";
              case ERROR -> ":rotating_light:";
            };
    // Text from a server must not become a mention of everyone, or a link.
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

  /** Returns the subject of a mail: severity or OVER, the cluster, and the kind. */
  public String mailSubject(Alert alert) {
    return "[%s] %s/%s: %s"
        .formatted(
            alert.phase() == Phase.OVER ? "OVER" : alert.severity(),
            alert.cluster().namespace(),
            alert.cluster().readWrite(),
            alert.phase() == Phase.OVER ? alert.ends() : alert.kind());
  }

  /** Returns the text of a mail. */
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
   * Returns the body for Alertmanager's API v2. A condition fires when it begins or lasts, and is
   * resolved when it ends. Alertmanager identifies an alert by its labels.
   */
  public List<Map<String, Object>> alertmanager(Alert alert) {
    List<Map<String, Object>> posts = new ArrayList<>();
    if (alert.ends() != null) {
      posts.add(post(alert, alert.ends(), null, alert.at()));
    }
    if (alert.phase() != Phase.OVER) {
      Duration shown = alert.phase() == Phase.HAPPENED ? SHOWN : repeat.multipliedBy(2);
      posts.add(post(alert, alert.kind(), alert.since(), alert.at().plus(shown)));
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

  /** The severity of the kind, not of the alert: an end must have the labels of its beginning. */
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

  private static Stream<String> names(String prefix, Class<?> type) {
    return Stream.of(type.getRecordComponents()).flatMap(field -> names(prefix, field));
  }

  private static Stream<String> names(String prefix, RecordComponent field) {
    Class<?> type = field.getType();
    String name = prefix + field.getName();
    return type.isRecord()
        ? names(name + ".", type)
        : List.class.isAssignableFrom(type) ? Stream.empty() : Stream.of(name);
  }

  static String fields() {
    return String.join(", ", NAMES);
  }

  /** Returns the fields that a template names but no alert has; empty if there are none. */
  static String unknownFieldsIn(String template) {
    return FIELD
        .matcher(template)
        .results()
        .filter(named -> !NAMES.contains(named.group(1)))
        .map(MatchResult::group)
        .distinct()
        .collect(Collectors.joining(", "));
  }
}
