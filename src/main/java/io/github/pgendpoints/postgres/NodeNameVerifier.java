package io.github.pgendpoints.postgres;

import java.util.Properties;
import javax.net.ssl.HostnameVerifier;
import javax.net.ssl.SSLSession;
import org.postgresql.ssl.PGjdbcHostnameVerifier;

/**
 * For sslmode verify-full: checks the name written in PG_NODES, though the connection goes to the
 * address it resolved to. pgjdbc makes one by this constructor for each login.
 */
public final class NodeNameVerifier implements HostnameVerifier {
  /** The connection property that carries the name. */
  static final String NODE = "postgres-endpoint-manager.node";

  private final String host;

  public NodeNameVerifier(Properties login) {
    this.host = login.getProperty(NODE);
  }

  @Override
  public boolean verify(String address, SSLSession session) {
    return PGjdbcHostnameVerifier.INSTANCE.verify(host, session);
  }
}
