package io.github.pgendpoints.management;

import io.github.pgendpoints.status.LatestStatus;
import io.github.pgendpoints.status.RunningManager;
import io.github.pgendpoints.status.Status;
import io.github.pgendpoints.status.StatusTable;
import java.util.Map;
import java.util.function.Function;

/**
 * The status of this manager, as the subcommand status prints it.
 *
 * @param fingerprint the fingerprint of the settings; a request with another one gets no status
 */
public record StatusPages(LatestStatus latest, String fingerprint) {
  /** The pages by path. Each is made from the query of a request, which may be null. */
  Map<String, Function<String, Page>> pages() {
    return Map.of(
        RunningManager.PATH,
        query -> page(query, Page.TEXT, status -> new StatusTable(status).text()),
        RunningManager.JSON_PATH,
        query -> page(query, Page.JSON, Status::json));
  }

  private Page page(String query, String type, Function<Status, String> text) {
    if (query != null && !query.equals(RunningManager.SETTINGS + "=" + fingerprint)) {
      return Page.of(409, Page.TEXT, "This manager has other settings.\n");
    }
    Status latestStatus = latest.status();
    Status status = latestStatus == null ? latest.missing() : latestStatus;
    return new Page(
        latestStatus == null ? 503 : 200,
        type,
        text.apply(status) + "\n",
        Map.of(RunningManager.EXIT_CODE, String.valueOf(status.exitCode())));
  }
}
