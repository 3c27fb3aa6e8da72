package io.github.pgendpoints.alert;

import io.github.pgendpoints.alert.Alert.Severity;
import java.util.Comparator;
import java.util.List;

/**
 * What a cycle found and no alert reports, because an earlier cycle or run has reported it.
 *
 * @param finding one sentence, or several; never null, and not yet clean of control characters
 * @param sinceWhen the end of the message; empty if no condition lasts
 */
public record Unreported(Severity severity, String finding, String sinceWhen) {
  /** The message for a log. */
  public String message() {
    return finding + sinceWhen;
  }

  /**
   * Joins findings to one, the worst first. A finding that an alert or another finding contains is
   * left out: a refusal names the nodes that are DOWN.
   *
   * @param alerts of the same cycle
   * @return null if nothing is left
   */
  static Unreported join(List<Unreported> findings, List<Alert> alerts) {
    StringBuilder text = new StringBuilder();
    Severity worst = null;
    for (Unreported each :
        findings.stream().sorted(Comparator.comparing(Unreported::severity).reversed()).toList()) {
      if (text.indexOf(each.finding) < 0
          && alerts.stream().noneMatch(alert -> alert.message().contains(each.finding))) {
        worst = worst == null ? each.severity : worst;
        text.append(text.isEmpty() ? "unchanged: " : "; ").append(each.message());
      }
    }
    return worst == null ? null : new Unreported(worst, text.toString(), "");
  }
}
