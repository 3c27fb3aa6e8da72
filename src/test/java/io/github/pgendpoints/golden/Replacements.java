package io.github.pgendpoints.golden;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;

/**
 * Replaces each value that differs from run to run by a placeholder. Where it matters whether two
 * values are the same, the placeholder has a number: equal values have equal numbers, in the order
 * of their first appearance. Everything else stays as it is.
 */
final class Replacements {
  private record Rule(Pattern pattern, String placeholder, boolean numbered) {}

  private final List<Rule> rules = new ArrayList<>();
  private final Map<String, List<String>> seen = new HashMap<>();

  /**
   * @param postgresPort the port of all servers
   * @param apiPort the port of the API stand-in
   */
  Replacements(int postgresPort, int apiPort) {
    String time = "\\d{4}-\\d\\d-\\d\\dT\\d\\d:\\d\\d:\\d\\d";
    // An annotation always has microseconds; elsewhere Java leaves out zeros at the end.
    rule(time + "\\.\\d{6}(?=\\+00:00)", "time-in-microseconds", false);
    rule(time + "(\\.\\d+)?(?=Z)", "time", false);
    numbered("(?<=\"resourceVersion\" : \")\\d+(?=\")", "resource-version");
    numbered("(?<=resourceVersion=)\\d+", "resource-version");
    // PostgreSQL derives them from the time: 19 digits until the year 2116.
    numbered("\\b\\d{19}\\b", "system-identifier");
    // Seconds since 1970, and microseconds.
    rule("\\b1[5-9]\\d{8}\\b", "unix-time", false);
    numbered("\\b\\d{16}\\b", "start-time");
    // Where a timeline begins, in an annotation and in STATE, where each quote is escaped.
    numbered("(?<=[/\"]begin\\\\?\" ?: ?\\\\?\")[0-9A-F]{1,8}/[0-9A-F]{6,8}\\b", "begin");
    // A server also writes WAL without a client, so no position occurs twice.
    rule("\\b[0-9A-F]{1,8}/[0-9A-F]{6,8}\\b", "lsn", false);
    // The message of an alert in STATE and in Events. The golden file of the log also has it.
    rule("(?<=\\\\\"message\\\\\":\\\\\").*?(?=\\\\\",)", "message", false);
    rule("(?<=\"message\" : \")(\\\\.|[^\"\\\\])*", "message", false);
    // The name and the Service of an Event, and the host of this run.
    numbered("\\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\\b", "uid");
    rule("\\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}\\b", "random", false);
    rule("(?<=\"reportingInstance\" : \")[^\"]*", "host", false);
    rule("\\b" + postgresPort + "\\b", "postgres-port", false);
    rule("\\b" + apiPort + "\\b", "api-port", false);
  }

  private void numbered(String pattern, String placeholder) {
    rule(pattern, placeholder, true);
  }

  private void rule(String pattern, String placeholder, boolean numbered) {
    rules.add(new Rule(Pattern.compile(pattern), placeholder, numbered));
  }

  /** Returns the text with its placeholders. */
  String in(String text) {
    String replaced = text;
    for (Rule rule : rules) {
      replaced = rule.pattern.matcher(replaced).replaceAll(match -> placeholder(rule, match));
    }
    return replaced;
  }

  private String placeholder(Rule rule, MatchResult match) {
    if (!rule.numbered) {
      return "<" + rule.placeholder + ">";
    }
    List<String> values = seen.computeIfAbsent(rule.placeholder, key -> new ArrayList<>());
    if (!values.contains(match.group())) {
      values.add(match.group());
    }
    return "<%s-%d>".formatted(rule.placeholder, values.indexOf(match.group()) + 1);
  }
}
