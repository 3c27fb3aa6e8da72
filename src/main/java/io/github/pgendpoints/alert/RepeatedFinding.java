package io.github.pgendpoints.alert;

import io.github.pgendpoints.alert.Alert.Severity;
import java.util.Comparator;
import java.util.List;

/**
 * What a cycle found but no alert reports, because an earlier cycle or run has reported it.
 *
 * @param finding one sentence, or several; never null, may contain control characters
 * @param sinceWhen the suffix of the message; empty if no condition lasts
 */
public record RepeatedFinding(Severity severity, String finding, String sinceWhen) {
  public String message() {
    return finding + sinceWhen;
  }

  /**
   * Joins findings into one, the most severe first. A finding that an alert or another finding
   * contains is left out: a refusal, for example, names the nodes that are DOWN.
   *
   * @param alerts of the same cycle
   * @return null if nothing is left
   */
  static RepeatedFinding join(List<RepeatedFinding> findings, List<Alert> alerts) {
    StringBuilder text = new StringBuilder();
    Severity worst = null;
    for (RepeatedFinding each :
        findings.stream()
            .sorted(Comparator.comparing(RepeatedFinding::severity).reversed())
            .toList()) {
      if (text.indexOf(each.finding) < 0
          && alerts.stream().noneMatch(alert -> alert.message().contains(each.finding))) {
        worst = worst == null ? each.severity : worst;
        text.append(text.isEmpty() ? "unchanged: " : "; ").append(each.message());
      }
    }
    return worst == null ? null : new RepeatedFinding(worst, text.toString(), "");
  }
}
