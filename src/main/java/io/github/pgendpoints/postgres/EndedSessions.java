package io.github.pgendpoints.postgres;

import com.zaxxer.hikari.SQLExceptionOverride;
import java.sql.SQLException;

/** HikariCP gives up a connection after some errors that end no session, such as 0A000. */
final class EndedSessions implements SQLExceptionOverride {
  @java.lang.Override
  public SQLExceptionOverride.Override adjudicate(SQLException failure) {
    return Probe.sessionEnded(failure)
        ? SQLExceptionOverride.Override.MUST_EVICT
        : SQLExceptionOverride.Override.DO_NOT_EVICT;
  }
}
